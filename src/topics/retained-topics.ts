/** What the index has to know of its values, which it keeps in place of their topics. */
export interface RetainedTopics<T> {
  topicOf(value: T): string;
  /** Whether `topic` is that of the value. */
  isAbout(value: T, topic: string): boolean;
  /** Number of levels of its topic. */
  levelsOf(value: T): number;
}
