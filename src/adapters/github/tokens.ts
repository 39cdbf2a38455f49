/** Tokens that last as long as a job: minted, kept while they are fresh, minted again. */
import type { RepositoryName } from '../../ports/github.ts';
import type { Permissions } from './permissions.ts';

export interface Minted {
  readonly token: string;
  readonly expiresAt: string;
  /** Who acts with it. */
  readonly app: { readonly id: number; readonly slug: string };
}

/** Mints a token for one repository, with no more than these permissions. */
export type Mint = (name: RepositoryName, permissions: Permissions) => Promise<Minted>;

/** Milliseconds before its end from which on a token is not used any more. */
const MARGIN = 5 * 60_000;

export interface Tokens {
  current(): Promise<Minted>;
  /** Another one than `refused`, which GitHub would not take. */
  another(refused: string): Promise<Minted>;
}

export function freshTokens(mint: () => Promise<Minted>): Tokens {
  let kept: Promise<Minted> | null = null;
  const renew = (): Promise<Minted> => {
    const minting = mint();
    kept = minting;
    minting.catch(() => {
      if (kept === minting) kept = null;
    });
    return minting;
  };
  return {
    async current() {
      const minted = await (kept ?? renew());
      return Date.parse(minted.expiresAt) - Date.now() > MARGIN ? minted : renew();
    },
    async another(refused) {
      const minted = await (kept ?? renew());
      // Of requests side by side, the first renews for all.
      return minted.token === refused ? renew() : minted;
    },
  };
}
