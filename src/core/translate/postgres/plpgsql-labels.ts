/** EXIT and CONTINUE that name another block or loop than the innermost loop around them. */
import type { Step } from '../program.ts';

/** The same steps, where such an EXIT or CONTINUE is a construct that is not known. */
export function withoutFarExits(
  steps: readonly Step[],
  innermost: string | null = null,
): readonly Step[] {
  return steps.map((step): Step => {
    if (step.kind === 'exit' && step.label !== null && step.label !== innermost) {
      const construct = `${step.again ? 'CONTINUE' : 'EXIT'} ${step.label}`;
      return { kind: 'unknown', line: step.line, construct };
    }
    if (step.kind === 'if') {
      return {
        ...step,
        arms: step.arms.map((arm) => ({ ...arm, body: withoutFarExits(arm.body, innermost) })),
        otherwise: withoutFarExits(step.otherwise, innermost),
      };
    }
    if (step.kind === 'block') {
      return {
        ...step,
        body: withoutFarExits(step.body, innermost),
        handlers: step.handlers.map((handler) => ({
          ...handler,
          body: withoutFarExits(handler.body, innermost),
        })),
      };
    }
    return 'body' in step ? { ...step, body: withoutFarExits(step.body, step.label) } : step;
  });
}
