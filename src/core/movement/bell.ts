/** Tells everyone who waits that something changed; what changed they look up themselves. */
export class Bell {
  #wake: () => void = () => undefined;
  #rung = this.#wait();

  #wait(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  /** Resolves at the next ring. Take it before looking, so that no ring goes by in between. */
  next(): Promise<void> {
    return this.#rung;
  }

  ring(): void {
    const wake = this.#wake;
    this.#rung = this.#wait();
    wake();
  }
}
