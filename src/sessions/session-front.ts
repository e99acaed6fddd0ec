/** What a session needs of the connection that it is attached to. The broker's connection implements it. */
import type { Message, Qos } from '../core/message.js';
import type { Publication } from '../core/publication.js';
import type { Resender } from './inflight-window.js';

export interface SessionFront extends Resender {
  /** The outbound buffer is below its soft limit. */
  readonly hasRoom: boolean;
  /** Sends the publication that is being routed. `packetId` is 0 for QoS 0. */
  sendPublication(
    publication: Publication,
    qos: Qos,
    packetId: number,
    retain: boolean,
    identifiers: readonly number[] | null,
  ): void;
  /** Sends a message that had to wait. */
  sendMessage(
    message: Message,
    qos: Qos,
    packetId: number,
    retain: boolean,
    identifiers: readonly number[] | null,
  ): void;
  /** Called when the session cannot keep up, to have the publisher wait for this client. */
  onCongested(publication: Publication): void;
}
