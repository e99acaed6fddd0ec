/** Long lists of names come in pages: a token names where the next one begins, so that it may come late. */
import { invalidParameter } from './sqs-error.js';
import type { SqsInput } from './sqs-input.js';

export interface Page {
  readonly page: readonly string[];
  /** Undefined if there is no more, or nobody asked for pages. */
  readonly nextToken: string | undefined;
}

/** @param most in one page @throws SqsError */
export function pageOf(input: SqsInput, names: readonly string[], most: number): Page {
  const asked = input.whole('MaxResults', 1, most);
  const token = input.text('NextToken');
  const after = token === undefined ? '' : Buffer.from(token, 'base64url').toString();
  if (token !== undefined && Buffer.from(after).toString('base64url') !== token) {
    throw invalidParameter('NextToken', token, 'It was not given out here.');
  }
  const sorted = names.filter((name) => name > after).sort();
  const page = sorted.slice(0, asked ?? most);
  const last = page.at(-1);
  const hasMore = asked !== undefined && sorted.length > page.length && last !== undefined;
  return { page, nextToken: hasMore ? Buffer.from(last).toString('base64url') : undefined };
}
