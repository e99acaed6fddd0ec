/** What the index has to know of its values, which it keeps in place of their topics. */
export interface RetainedTopics<T> {
  topicOf(value: T): string;
  /** Whether `topic` is that of the value. */
  isAbout(value: T, topic: string): boolean;
  /** Whether its topic begins with a text. */
  startsWith(value: T, beginning: string): boolean;
  /** Length of its topic, in characters or bytes: what it takes to go through it. */
  lengthOf(value: T): number;
  /** Number of levels of its topic. */
  levelsOf(value: T): number;
}
