import { describe, expect, it } from 'vitest';
import { RetainedExpiry } from '../../../src/broker/retained-expiry.js';
import { Message } from '../../../src/core/message.js';

function expiringAt(expiresAtMs: number): Message {
  const message = new Message();
  message.expiresAtMs = expiresAtMs;
  return message;
}

describe('RetainedExpiry', () => {
  it('has the earliest first, whatever comes and goes', () => {
    const expiry = new RetainedExpiry();
    const present = new Set<Message>();
    let state = 1;
    const random = (below: number) => {
      state = (state * 48_271) % 0x7fffffff;
      return state % below;
    };
    for (let step = 0; step < 3000; step++) {
      // Grows first, shrinks later.
      if (random(3000) > step) {
        const message = expiringAt(1 + random(100));
        expiry.add(message);
        present.add(message);
      } else {
        const message = [...present][random(Math.max(1, present.size))];
        if (message !== undefined) expiry.remove(message);
        if (message !== undefined) present.delete(message);
      }
      const earliest = Math.min(...[...present].map(({ expiresAtMs }) => expiresAtMs));
      expect(expiry.earliest?.expiresAtMs ?? Number.POSITIVE_INFINITY).toBe(earliest);
    }
    for (const message of present) expiry.remove(message);
    expect(expiry.earliest).toBeUndefined();
  });

  it('does not mind what it does not have', () => {
    const expiry = new RetainedExpiry();
    const message = expiringAt(1);
    expiry.add(message);
    expiry.remove(expiringAt(1));
    expect(expiry.earliest).toBe(message);
  });
});
