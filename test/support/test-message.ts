/** Messages as the broker keeps them, for tests that do not care how they came in. */
import { buildMessage, encodePublishProperties, type PublishProperties } from '../../src/codec/message-builder.js';
import type { Message, Qos } from '../../src/core/message.js';

export interface TestMessageFields extends PublishProperties {
  readonly topic?: string;
  readonly payload?: string | Buffer;
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly publisherId?: string;
  readonly nowMs?: number;
}

export function testMessage(fields: TestMessageFields = {}): Message {
  const payload = fields.payload ?? '';
  return buildMessage({
    topic: fields.topic ?? 't',
    payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
    qos: fields.qos ?? 1,
    retain: fields.retain ?? false,
    properties: encodePublishProperties(fields),
    publisherId: fields.publisherId ?? '',
    nowMs: fields.nowMs ?? 1000,
  });
}
