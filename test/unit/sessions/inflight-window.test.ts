import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../../src/core/message.js';
import { InflightWindow } from '../../../src/sessions/inflight-window.js';
import { testMessage } from '../../support/test-message.js';

type Resent = string;

/** Everything that is to be sent again, in order. */
function resendAll(window: InflightWindow, fits: (message: Message) => boolean = () => true): Resent[] {
  const resent: Resent[] = [];
  window.beginResend();
  while (window.isResending) {
    window.resendNext({
      fits,
      resendPublish: (message, qos, packetId, retain, identifiers) =>
        resent.push(`${message.payload} q${qos} #${packetId} r${Number(retain)} ${identifiers ?? '-'}`),
      resendPubrel: (packetId) => resent.push(`pubrel #${packetId}`),
    });
  }
  return resent;
}

interface Known {
  state: 'puback' | 'pubrec' | 'pubcomp';
  readonly sequence: number;
  readonly text: string;
}

describe('InflightWindow', () => {
  it('does what a Map would do', () => {
    const operation = fc.oneof(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('add'), pick: fc.nat(), qos: fc.constantFrom(1, 2) }) },
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constantFrom('acknowledge', 'receive', 'refuse', 'complete'),
          pick: fc.nat(),
          qos: fc.constant(0),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('resend'), pick: fc.nat(), qos: fc.constant(0) }) },
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 300 }), fc.boolean(), (operations, withIdentifiers) => {
        const window = new InflightWindow();
        const oracle = new Map<number, Known>();
        let sequence = 0;
        for (const { kind, pick, qos } of operations) {
          if (kind === 'add') {
            const text = `m${sequence}`;
            const identifiers = withIdentifiers && pick % 2 === 0 ? [pick] : null;
            const retain = pick % 3 === 0;
            const packetId = window.add(testMessage({ payload: text }), qos as 1 | 2, retain, identifiers);
            expect(packetId).toBeGreaterThan(0);
            expect(oracle.has(packetId)).toBe(false);
            const shown = `${text} q${qos} #${packetId} r${Number(retain)} ${identifiers ?? '-'}`;
            oracle.set(packetId, { state: qos === 1 ? 'puback' : 'pubrec', sequence: sequence++, text: shown });
          } else if (kind === 'resend') {
            const expected = [...oracle]
              .sort(([, a], [, b]) => a.sequence - b.sequence)
              .map(([packetId, known]) => (known.state === 'pubcomp' ? `pubrel #${packetId}` : known.text));
            expect(resendAll(window)).toEqual(expected);
          } else {
            const ids = [...oracle.keys()];
            // Now and then one that is not in use.
            const packetId = pick % 5 === 0 || ids.length === 0 ? 1 + (pick % 70) : (ids[pick % ids.length] as number);
            const known = oracle.get(packetId);
            expect(window.has(packetId)).toBe(known !== undefined);
            let expected = false;
            if (kind === 'acknowledge') expected = known?.state === 'puback' && oracle.delete(packetId);
            else if (kind === 'refuse') expected = known?.state === 'pubrec' && oracle.delete(packetId);
            else if (kind === 'complete') expected = known?.state === 'pubcomp' && oracle.delete(packetId);
            else if (known !== undefined && known.state !== 'puback') {
              known.state = 'pubcomp';
              expected = true;
            }
            const method = kind as 'acknowledge' | 'refuse' | 'complete' | 'receive';
            expect(window[method](packetId)).toBe(expected);
          }
          expect(window.count).toBe(oracle.size);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('uses identifiers from 1 to 65,535 in turn and passes over one that is stuck', () => {
    const window = new InflightWindow();
    const message = testMessage();
    const seen = new Set<number>();
    for (let i = 1; i <= 200_000; i++) {
      const packetId = window.add(message, 1, false, null);
      if (packetId < 1 || packetId > 65_535) expect(packetId).toBe('from 1 to 65535');
      if (i > 7 && packetId === 7) expect(packetId).toBe('not the one that is stuck');
      seen.add(packetId);
      if (i !== 7) window.acknowledge(packetId);
    }
    expect(seen.size).toBeGreaterThan(60_000);
    expect(window.count).toBe(1);
    expect(window.has(7)).toBe(true);
    expect(window.acknowledge(7)).toBe(true);
  });

  it('holds 32,767 messages, and shrinks again', () => {
    const window = new InflightWindow();
    const message = testMessage({ payload: 'abc' });
    const ids = Array.from({ length: 32_767 }, () => window.add(message, 1, false, null));
    expect(new Set(ids).size).toBe(32_767);
    expect(window.count).toBe(32_767);
    expect(window.bytes).toBe(32_767 * message.span);
    for (const packetId of ids) expect(window.acknowledge(packetId)).toBe(true);
    expect(window.count).toBe(0);
    expect(window.bytes).toBe(0);
    for (let i = 0; i < 100; i++) {
      const packetId = window.add(message, 2, false, null);
      expect(window.receive(packetId)).toBe(true);
      expect(window.complete(packetId)).toBe(true);
    }
    expect(window.count).toBe(0);
  });

  it('grows with messages scattered over the identifiers', () => {
    const window = new InflightWindow();
    const message = testMessage();
    const kept: number[] = [];
    for (let i = 0; i < 60_000; i++) {
      const packetId = window.add(message, 1, false, [i]);
      if (i % 17 === 0) kept.push(packetId);
      else window.acknowledge(packetId);
    }
    expect(window.count).toBe(kept.length);
    expect(resendAll(window).map((text) => Number(text.split('#')[1]?.split(' ')[0]))).toEqual(kept);
    for (const packetId of kept) expect(window.acknowledge(packetId)).toBe(true);
  });

  it('resends step by step, and not what has been acknowledged meanwhile', () => {
    const window = new InflightWindow();
    for (let i = 1; i <= 4; i++) window.add(testMessage({ payload: String(i) }), 1, false, null);
    const resent: string[] = [];
    const resender = {
      fits: () => true,
      resendPublish: (message: Message) => resent.push(message.payload.toString()),
      resendPubrel: () => {},
    };
    window.beginResend();
    expect([window.count, window.sentCount]).toEqual([4, 0]);
    window.resendNext(resender);
    expect(window.sentCount).toBe(1);
    window.acknowledge(3);
    expect([window.count, window.sentCount]).toEqual([3, 1]);
    while (window.isResending) window.resendNext(resender);
    expect(resent).toEqual(['1', '2', '4']);
    expect([window.count, window.sentCount]).toEqual([3, 3]);
  });

  it('drops what does not fit any more', () => {
    const window = new InflightWindow();
    window.add(testMessage({ payload: 'large' }), 1, false, null);
    window.add(testMessage({ payload: 'small' }), 1, false, null);
    const received = window.add(testMessage({ payload: 'large' }), 2, false, null);
    window.receive(received);
    const resent = resendAll(window, (message) => message.payload.toString() !== 'large');
    expect(resent).toEqual(['small q1 #2 r0 -', 'pubrel #3']);
    expect(window.count).toBe(2);
  });
});
