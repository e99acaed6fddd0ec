/** The queue of the queue scenarios, and how its messages are named: main, the publishers and the workers read it from here. */

export const WORK_QUEUE = 'bench';
export const WORK_FILTER = `$queue/${WORK_QUEUE}`;
/** The broker's own figures about it. */
export const WORK_FIGURES = `$SYS/broker/queues/${WORK_QUEUE}/`;

/** Messages of a group are published on a topic with its number, of so many digits, in the second level. */
export const GROUP_DIGITS = 5;
export const GROUP_AT = 'bench/'.length;

/** Of messages that are in the queue before anything is measured. */
export const DEEP_GROUP = 99_999;

export function topicOfGroup(group: number): string {
  return `bench/${String(group).padStart(GROUP_DIGITS, '0')}/data`;
}
