/** Deduplication ids that count within their message group only: the queue gets both as one id. */

/** No group contains it. */
const SEPARATOR = '\u0000';

export function scopedDeduplicationId(group: string, id: string): string {
  return `${group}${SEPARATOR}${id}`;
}

/** Of what the queue got, in one form or the other. */
export function deduplicationIdOf(kept: string): string {
  return kept.slice(kept.indexOf(SEPARATOR) + 1);
}
