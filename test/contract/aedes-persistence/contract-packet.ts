/**
 * The packets of the aedes-persistence contract, and the messages that our store keeps of them. A packet of aedes is named
 * by its broker and that broker's counter: a message has this name where it otherwise has its publisher.
 */
import { buildMessage } from '../../../src/codec/message-builder.js';
import type { Message, Qos } from '../../../src/core/message.js';

export interface PublishPacket {
  readonly cmd: 'publish';
  readonly brokerId?: string | undefined;
  readonly brokerCounter?: number | undefined;
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly dup?: boolean;
  messageId?: number | undefined;
}

export interface PubrelPacket {
  readonly cmd: 'pubrel';
  readonly messageId: number;
}

export interface WillPacket extends Pick<PublishPacket, 'topic' | 'payload' | 'qos' | 'retain'> {
  brokerId?: string | undefined;
  clientId?: string;
}

export function nameOf({
  brokerId = '',
  brokerCounter = 0,
}: Pick<PublishPacket, 'brokerId' | 'brokerCounter'>): string {
  return `${brokerId}:${brokerCounter}`;
}

export function toMessage(packet: PublishPacket): Message {
  const { topic, payload, qos, retain } = packet;
  return buildMessage({
    topic,
    payload,
    qos,
    retain,
    properties: Buffer.alloc(0),
    publisherId: nameOf(packet),
    nowMs: 0,
  });
}

export function toPacket(message: Message, messageId: number | undefined): PublishPacket {
  const { topic, qos, retain, publisherId } = message;
  const colon = publisherId.lastIndexOf(':');
  return {
    cmd: 'publish',
    brokerId: publisherId.slice(0, colon),
    brokerCounter: Number(publisherId.slice(colon + 1)),
    topic,
    payload: Buffer.from(message.payload),
    qos,
    retain,
    dup: false,
    messageId,
  };
}
