/** Base64 as RFC 4648 section 4 writes it, and nothing else: Buffer would skip what is not. */

/** @returns undefined if `text` is not what the bytes would be written as */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
