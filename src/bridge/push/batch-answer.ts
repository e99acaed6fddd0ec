/**
 * What a target says of a batch that it has taken: nothing, which is everything done, or which messages of it have failed, in the words that
 * functions behind SQS have for it: `{"batchItemFailures":[{"itemIdentifier":"…"}]}`. An answer that means to say something and cannot be
 * understood must not be taken for everything done.
 */

/** Ids of the messages that have failed, or null for an answer that cannot be understood. */
export type FailedItems = ReadonlySet<string> | null;

const NONE_FAILED: ReadonlySet<string> = new Set();

/** @param body of an answer with 2xx @param sent ids of what was in the batch */
export function readBatchAnswer(body: Buffer, sent: ReadonlySet<string>): FailedItems {
  // JSON in UTF-16 may name messages, and would not be seen to be an object. No text of UTF-8 or Latin-1 has such a byte.
  if (body.includes(0)) return null;
  const text = body.toString().trim();
  // Many answer "OK", or a page: only an object can name messages.
  if (!text.startsWith('{')) return NONE_FAILED;
  const answer = parseObject(text);
  if (answer === null) return null;
  const items = answer['batchItemFailures'];
  if (items === undefined || items === null) return NONE_FAILED;
  if (!Array.isArray(items)) return null;
  const failed = new Set<string>();
  for (const item of items as unknown[]) {
    const id = isObject(item) ? item['itemIdentifier'] : undefined;
    if (typeof id !== 'string' || !sent.has(id)) return null;
    failed.add(id);
  }
  return failed;
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
