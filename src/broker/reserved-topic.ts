/**
 * The topics that only the broker publishes to, whether by PUBLISH or by a Will: `$SYS` and what is below it.
 *
 * One of them is a client's: a mosquitto bridge announces itself under `$SYS/broker/connection/<client id>/state`, with
 * a Will beside it, unless it is configured not to. A broker that refuses that Will keeps such bridges out altogether.
 */

const BRIDGE_STATE_START = '$SYS/broker/connection/';
const BRIDGE_STATE_END = '/state';

/** Whether the broker alone publishes there, so that nothing of it has to be stored. */
export function isReservedTopic(topic: string): boolean {
  return isSystemTopic(topic) && !isBridgeState(topic);
}

/** Whether the topic is reserved, or tells the state of another client. */
export function isReservedFrom(topic: string, clientId: string): boolean {
  return isSystemTopic(topic) && topic !== `${BRIDGE_STATE_START}${clientId}${BRIDGE_STATE_END}`;
}

function isSystemTopic(topic: string): boolean {
  return topic.charCodeAt(0) === 0x24 && (topic === '$SYS' || topic.startsWith('$SYS/'));
}

function isBridgeState(topic: string): boolean {
  const length = topic.length - BRIDGE_STATE_START.length - BRIDGE_STATE_END.length;
  return length > 0 && topic.startsWith(BRIDGE_STATE_START) && topic.endsWith(BRIDGE_STATE_END);
}
