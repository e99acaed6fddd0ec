/** The topics that only the broker publishes to, whether by PUBLISH or by a Will. */

/** `$SYS` and what is below it. */
export function isReservedTopic(topic: string): boolean {
  return topic.charCodeAt(0) === 0x24 && (topic === '$SYS' || topic.startsWith('$SYS/'));
}
