/** What whoever keeps the account of deliveries offers: to subscribers, which enter them, and to the run, which reads it. */
export interface DeliveryAccount {
  readonly delivered: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Deliveries of something that was never sent, or to a subscriber that did not ask for it. */
  readonly foreign: number;
  /**
   * @param stream subscriber number × publishers + publisher number
   * @param sent how many messages the publisher has sent so far
   * @returns whether the message is one that was sent and had not come yet
   */
  record(stream: number, sequence: number, sent: number): boolean;
  /** A delivery that belongs to no stream at all. */
  recordForeign(): void;
}
