/** What a session needs of the connection that it is attached to. The broker's connection implements it. */
import type { Message, Qos } from '../core/message.js';
import type { Publication } from '../core/publication.js';

export interface SessionFront {
  /** The outbound buffer is below its soft limit. */
  readonly hasRoom: boolean;
  /** The client knows of Retain As Published: MQTT 3 has RETAIN 0 on whatever an existing subscription brings. */
  readonly knowsRetainAsPublished: boolean;
  /** The encoded packet does not pass the client's Maximum Packet Size [MQTT-3.1.2-24]. */
  fits(message: Message, qos: Qos, identifiers: readonly number[] | null): boolean;
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
  /** Sends a message that the client may have got already: with DUP. */
  resendPublish(
    message: Message,
    qos: Qos,
    packetId: number,
    retain: boolean,
    identifiers: readonly number[] | null,
  ): void;
  resendPubrel(packetId: number): void;
  /** Called when the session cannot keep up, to have the publisher wait for this client. */
  onCongested(publication: Publication): void;
  /** The session waits for the journal: {@link OutgoingMessages.onSettled} is to be called when it has settled more. */
  onAwaitingCommit(): void;
  /** Messages that had to be read have been sent: what has waited behind them can go on. */
  onLoaded(): void;
}
