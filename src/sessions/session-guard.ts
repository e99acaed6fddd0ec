/** Says what a session may be sent. The broker makes one for each session whose user may not have everything. */
export interface SessionGuard {
  /** Whether its client may be sent messages of this topic. */
  mayReceive(topic: string): boolean;
  /** Other rules are in force. */
  onRulesChanged(): void;
}
