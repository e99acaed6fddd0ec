/** Text as the value of an HTTP header. Devices choose topics and properties, so that anything may stand there; a header takes little of it. */

/** What CloudEvents' HTTP binding leaves as it is (section 3.1.3.2): printable ASCII but `"` and `%`, and no blank. */
const UNSAFE = /[^!#$&-~]/u;
const UNSAFE_EACH = /[^!#$&-~]/gu;

/** Percent-encodes UTF-8, as the binding says: `decodeURIComponent` brings the text back. */
export function headerText(text: string): string {
  if (!UNSAFE.test(text)) return text;
  return text.replace(UNSAFE_EACH, percentEncoded);
}

function percentEncoded(character: string): string {
  let encoded = '';
  for (const byte of Buffer.from(character)) encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return encoded;
}

/** JSON with everything beyond ASCII written as `\uXXXX`: it can be parsed as it stands. */
export function headerJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** Whether a header can have this value as it is. */
export function isHeaderText(text: string): boolean {
  return /^[\t\u0020-\u007e]*$/.test(text);
}

/** Whether there can be a header of this name (RFC 9110, section 5.6.2). */
export function isHeaderName(text: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text);
}
