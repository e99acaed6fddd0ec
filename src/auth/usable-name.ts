/** What may be a user name in MQTT (section 1.5.4), wherever it comes from. */

const LONGEST_NAME_BYTES = 65_535;

export function isUsableName(name: unknown): name is string {
  return (
    typeof name === 'string' &&
    name !== '' &&
    isWellFormed(name) &&
    !name.includes('\0') &&
    Buffer.byteLength(name) <= LONGEST_NAME_BYTES
  );
}

/** Whether it can be written as UTF-8: it has no half of a surrogate pair. */
export function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text;
}
