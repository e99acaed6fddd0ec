/**
 * Text that can stand in XML, and so in anything that SQS hands out: all but #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD and #x10000 to
 * #x10FFFF is forbidden.
 */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
const ALL_FORBIDDEN = new RegExp(FORBIDDEN, 'gu');

export function hasForbidden(text: string): boolean {
  return FORBIDDEN.test(text);
}

/** With U+FFFD for each character that is forbidden. */
export function replaceForbidden(text: string): string {
  return FORBIDDEN.test(text) ? text.replaceAll(ALL_FORBIDDEN, '\ufffd') : text;
}

/** JSON without any character that is forbidden: they are escaped. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    ALL_FORBIDDEN,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
