/** GitHub's limits, as documented in 2026, and what Sprocket keeps of them for itself. */

/** Characters of a check run's `summary` and `text`, each. Counted in bytes here, which is never less. */
export const CHECK_TEXT = 65_535;
/** Characters of a check run's title; GitHub names no limit, its page shows one line. */
export const CHECK_TITLE = 255;
export const BUTTONS = 3;
export const BUTTON_LABEL = 20;
export const BUTTON_DESCRIPTION = 40;
export const BUTTON_IDENTIFIER = 20;
/** Annotations of one request; more are appended by more requests. */
export const ANNOTATIONS = 50;
export const ANNOTATION_MESSAGE = 64_000;
export const ANNOTATION_TITLE = 255;
/** Annotations that one check run gets at most: past that, nobody reads on. */
export const MOST_ANNOTATIONS = 200;
/** Characters of a comment, and of the body of an issue or a pull request. */
export const BODY = 65_536;
export const TITLE = 256;
/** Bytes of a `client_payload` as JSON, and its top-level properties. */
export const PAYLOAD = 65_535;
export const PAYLOAD_PROPERTIES = 10;
/** Characters of an `event_type`. */
export const EVENT_TYPE = 100;
/** Bytes of a step summary. */
export const STEP_SUMMARY = 1024 * 1024;
/** Jobs of one matrix. */
export const MATRIX = 256;
