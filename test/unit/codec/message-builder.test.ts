import { describe, expect, it } from 'vitest';
import { buildMessage, encodePublishProperties, restartExpiry } from '../../../src/codec/message-builder.js';
import { decodePublishProperties } from '../../../src/codec/publish-properties.js';
import { InvalidArgument } from '../../../src/core/errors.js';
import { testMessage } from '../../support/test-message.js';

describe('buildMessage', () => {
  it('gives a message the form of a received one', () => {
    const properties = {
      payloadFormatIndicator: 1 as const,
      messageExpiryInterval: 30,
      contentType: 'text/ä',
      responseTopic: 'answer',
      correlationData: Buffer.from([0, 255]),
      userProperties: [
        ['b', '1'],
        ['a', ''],
        ['b', '1'],
      ] as const,
    };
    const message = buildMessage({
      topic: 'a/ä',
      payload: Buffer.from('x'),
      qos: 2,
      retain: true,
      properties: encodePublishProperties(properties),
      publisherId: 'p',
      nowMs: 5000,
    });
    expect(message.bytes.toString('utf8', message.topicStart, message.topicEnd)).toBe('a/ä');
    expect(decodePublishProperties(message)).toEqual(properties);
    expect(message.payload.toString()).toBe('x');
    expect(message).toMatchObject({ qos: 2, retain: true, publisherId: 'p', arrivedAtMs: 5000, expiresAtMs: 35_000 });
  });

  it('copies what it is given', () => {
    const payload = Buffer.from('before');
    const message = testMessage({ payload });
    payload.fill(0);
    expect(message.payload.toString()).toBe('before');
  });

  it('starts the expiry of a will anew', () => {
    const message = testMessage({ messageExpiryInterval: 30, nowMs: 1000 });
    restartExpiry(message, 100_000);
    expect([message.arrivedAtMs, message.expiresAtMs]).toEqual([100_000, 130_000]);
    const forEver = testMessage({ nowMs: 1000 });
    restartExpiry(forEver, 100_000);
    expect(forEver.expiresAtMs).toBe(0);
  });
});

describe('encodePublishProperties', () => {
  it('is empty for nothing', () => {
    expect(encodePublishProperties({}).length).toBe(0);
    expect(decodePublishProperties(testMessage())).toEqual({});
  });

  it.each([
    ['a negative expiry', { messageExpiryInterval: -1 }],
    ['a broken expiry', { messageExpiryInterval: 0.5 }],
    ['too long an expiry', { messageExpiryInterval: 2 ** 32 }],
    ['too long a string', { contentType: 'x'.repeat(65_536) }],
    ['too much correlation data', { correlationData: Buffer.alloc(65_536) }],
    ['U+0000', { userProperties: [['a', '\0']] as const }],
    ['half a character', { contentType: '\ud800' }],
    ['a wildcard in the response topic', { responseTopic: 'a/+' }],
    ['an empty response topic', { responseTopic: '' }],
    ['an unknown payload format', { payloadFormatIndicator: 2 as 1 }],
  ])('refuses %s', (_name, properties) => {
    expect(() => encodePublishProperties(properties)).toThrow(InvalidArgument);
  });
});
