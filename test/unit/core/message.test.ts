import { describe, expect, it } from 'vitest';
import { Message } from '../../../src/core/message.js';
import { Publication } from '../../../src/core/publication.js';
import { testMessage } from '../../support/test-message.js';

/** The same content inside a larger buffer, as a received packet lies in its chunk. */
function inChunk(message: Message, chunkBytes: number): Message {
  const received = message.clone();
  received.moveTo(Buffer.alloc(chunkBytes, 0xee), 100);
  return received;
}

function contentOf(message: Message) {
  const { topicStart, topicEnd, bytes, expiryOffset } = message;
  return {
    topic: bytes.toString('utf8', topicStart, topicEnd),
    properties: message.properties.toString('hex'),
    payload: message.payload.toString(),
    expiry: expiryOffset === -1 ? null : bytes.readUInt32BE(expiryOffset),
  };
}

const FIELDS = { topic: 'a/ä', payload: 'hello', contentType: 'text', messageExpiryInterval: 77 };

describe('Message', () => {
  it('keeps its content wherever it moves', () => {
    const message = testMessage(FIELDS);
    const expected = { ...contentOf(message), topic: 'a/ä', payload: 'hello', expiry: 77 };
    const moved = inChunk(message, 4096);
    expect(contentOf(moved)).toEqual(expected);
    moved.compact();
    expect(contentOf(moved)).toEqual(expected);
    expect(moved.bytes.buffer.byteLength).toBe(moved.span);
    expect(contentOf(moved.clone())).toEqual(expected);
  });

  it('counts what is left of its expiry in whole seconds, and at least one', () => {
    const message = testMessage({ messageExpiryInterval: 10, nowMs: 1000 });
    expect(message.remainingExpirySeconds(1000)).toBe(10);
    expect(message.remainingExpirySeconds(1001)).toBe(10);
    expect(message.remainingExpirySeconds(10_001)).toBe(1);
    expect(message.isExpired(10_999)).toBe(false);
    expect(message.isExpired(11_000)).toBe(true);
    expect(testMessage().isExpired(Number.MAX_SAFE_INTEGER)).toBe(false);
  });
});

describe('Publication', () => {
  it.each([4096, 65_536])('keeps one copy for all, which does not pin a chunk of %i bytes', (chunkBytes) => {
    const publication = new Publication();
    const received = inChunk(testMessage(FIELDS), chunkBytes);
    publication.begin(received);
    const kept = publication.keep();
    expect(publication.keep()).toBe(kept);
    received.bytes.fill(0);
    expect(contentOf(kept)).toEqual(contentOf(testMessage(FIELDS)));
    expect(kept.bytes.buffer.byteLength).toBeLessThanOrEqual(16 * 1024);
  });

  it('gives large messages a buffer of their own', () => {
    const publication = new Publication();
    const payload = 'x'.repeat(20_000);
    publication.begin(inChunk(testMessage({ payload }), 65_536));
    const kept = publication.keep();
    expect(kept.payload.toString()).toBe(payload);
    expect(kept.bytes.buffer.byteLength).toBe(kept.span);
  });

  it('does not mix messages that share a slab', () => {
    const publication = new Publication();
    const kept = Array.from({ length: 2000 }, (_, i) => {
      publication.begin(inChunk(testMessage({ payload: `payload ${i}` }), 65_536));
      return publication.keep();
    });
    kept.forEach((message, i) => {
      if (message.payload.toString() !== `payload ${i}`) expect(message.payload.toString()).toBe(`payload ${i}`);
    });
  });

  it('does not copy what is safe to keep already', () => {
    const publication = new Publication();
    const message = testMessage();
    publication.beginKept(message);
    expect(publication.keep()).toBe(message);
    publication.begin(new Message());
    expect(publication.receivers).toBe(0);
  });
});
