/** What a client can want to do, as bits: a rule is about one or several of them. */
export const AccessAction = {
  /** Publish on a topic, or leave a will for it. */
  Publish: 1,
  /** Subscribe to a filter. */
  Subscribe: 2,
  /** Be sent messages of a topic. */
  Receive: 4,
  /** Put messages into a work queue. */
  Send: 8,
  /** Take messages from a work queue, and say what became of them. */
  Take: 16,
  /** Administer a work queue. */
  Manage: 32,
} as const;

export type AccessAction = (typeof AccessAction)[keyof typeof AccessAction];

export const TOPIC_ACTIONS = AccessAction.Publish | AccessAction.Subscribe | AccessAction.Receive;
export const QUEUE_ACTIONS = AccessAction.Send | AccessAction.Take | AccessAction.Manage;

/** What actions on topics mean for a filter below `$queue`, by which MQTT clients reach work queues. */
export function queueActionsOf(actions: number): number {
  const sends = (actions & AccessAction.Publish) === 0 ? 0 : AccessAction.Send;
  const takes = (actions & (AccessAction.Subscribe | AccessAction.Receive)) === 0 ? 0 : AccessAction.Take;
  return sends | takes;
}
