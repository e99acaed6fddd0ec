import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InflightWindow, NOT_INFLIGHT, NOT_LOGGED } from '../../../src/sessions/inflight-window.js';

/** Everything that is to be sent again, in order. */
function resendAll(window: InflightWindow): string[] {
  const resent: string[] = [];
  window.beginResend();
  while (window.isResending) {
    const packetId = window.nextUnsent;
    window.markSent(packetId);
    resent.push(shownEntry(window, packetId));
  }
  return resent;
}

function shownEntry(window: InflightWindow, packetId: number): string {
  if (window.isReleased(packetId)) return `pubrel #${packetId}`;
  const [sequence, qos] = [window.sequenceOf(packetId), window.qosOf(packetId)];
  return shown(sequence, qos, packetId, window.retainOf(packetId), window.identifiersOf(packetId));
}

/** PUBREL goes before every PUBLISH [MQTT-3.3.4-10]. */
function rank(state: string): number {
  return state === 'pubcomp' ? 0 : 1;
}

function shown(
  sequence: number,
  qos: number,
  packetId: number,
  retain: boolean,
  identifiers: readonly number[] | null,
): string {
  return `${sequence} q${qos} #${packetId} r${Number(retain)} ${identifiers ?? '-'}`;
}

interface Known {
  state: 'puback' | 'pubrec' | 'pubcomp';
  readonly sequence: number;
  readonly text: string;
}

function addQos1(window: InflightWindow, sequence: number): number {
  return window.add(1, false, null, sequence);
}

const operationArbitrary = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('add'), pick: fc.nat(), qos: fc.constantFrom(1, 2) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('acknowledge', 'receive', 'refuse', 'complete'),
      pick: fc.nat(),
      qos: fc.constant(0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('resend', 'restore'), pick: fc.nat(), qos: fc.constant(0) }),
  },
);

describe('InflightWindow', () => {
  it('does what a Map would do, also when it is stored and restored on the way', () => {
    fc.assert(
      fc.property(fc.array(operationArbitrary, { maxLength: 300 }), fc.boolean(), (operations, withIdentifiers) => {
        let window = new InflightWindow();
        const oracle = new Map<number, Known>();
        let sequence = 0;
        for (const { kind, pick, qos } of operations) {
          if (kind === 'add') {
            sequence++;
            const identifiers = withIdentifiers && pick % 2 === 0 ? [pick] : null;
            const retain = pick % 3 === 0;
            const packetId = window.add(qos as 1 | 2, retain, identifiers, sequence);
            expect(packetId).toBeGreaterThan(0);
            expect(oracle.has(packetId)).toBe(false);
            const text = shown(sequence, qos, packetId, retain, identifiers);
            oracle.set(packetId, { state: qos === 1 ? 'puback' : 'pubrec', sequence, text });
          } else if (kind === 'restore') {
            const restored = new InflightWindow();
            for (const entry of window.entries()) restored.restore(entry);
            expect([...restored.entries()].sort((a, b) => a.order - b.order)).toEqual(
              [...window.entries()].sort((a, b) => a.order - b.order),
            );
            window = restored;
          } else if (kind === 'resend') {
            const expected = [...oracle]
              .sort(([, a], [, b]) => rank(a.state) - rank(b.state) || a.sequence - b.sequence)
              .map(([packetId, known]) => (known.state === 'pubcomp' ? `pubrel #${packetId}` : known.text));
            expect(resendAll(window)).toEqual(expected);
          } else {
            const ids = [...oracle.keys()];
            // Now and then one that is not in use.
            const packetId = pick % 5 === 0 || ids.length === 0 ? 1 + (pick % 70) : (ids[pick % ids.length] as number);
            const known = oracle.get(packetId);
            expect(window.has(packetId)).toBe(known !== undefined);
            let expected: number | boolean = kind === 'complete' ? false : NOT_INFLIGHT;
            if (kind === 'acknowledge' && known?.state === 'puback') expected = known.sequence;
            else if (kind === 'refuse' && known?.state === 'pubrec') expected = known.sequence;
            else if (kind === 'complete' && known?.state === 'pubcomp') expected = true;
            else if (kind === 'receive' && known?.state === 'pubrec') expected = known.sequence;
            else if (kind === 'receive' && known?.state === 'pubcomp') expected = NOT_LOGGED;
            if (kind !== 'receive' && expected !== false && expected !== NOT_INFLIGHT) oracle.delete(packetId);
            if (kind === 'receive' && known?.state === 'pubrec') known.state = 'pubcomp';
            const method = kind as 'acknowledge' | 'refuse' | 'complete' | 'receive';
            expect(window[method](packetId)).toBe(expected);
          }
          expect(window.count).toBe(oracle.size);
          expect(window.undelivered).toBe([...oracle.values()].filter(({ state }) => state !== 'pubcomp').length);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('uses identifiers from 1 to 65,535 in turn and passes over one that is stuck', () => {
    const window = new InflightWindow();
    const seen = new Set<number>();
    for (let i = 1; i <= 200_000; i++) {
      const packetId = addQos1(window, i);
      if (packetId < 1 || packetId > 65_535) expect(packetId).toBe('from 1 to 65535');
      if (i > 7 && packetId === 7) expect(packetId).toBe('not the one that is stuck');
      seen.add(packetId);
      if (i !== 7) window.acknowledge(packetId);
    }
    expect(seen.size).toBeGreaterThan(60_000);
    expect(window.count).toBe(1);
    expect(window.has(7)).toBe(true);
    expect(window.acknowledge(7)).toBe(7);
  });

  it('holds 32,767 messages, and shrinks again', () => {
    const window = new InflightWindow();
    const ids = Array.from({ length: 32_767 }, (_, i) => addQos1(window, 1000 + i));
    expect(new Set(ids).size).toBe(32_767);
    expect(window.count).toBe(32_767);
    expect(ids.map((packetId) => window.acknowledge(packetId))).toEqual(ids.map((_, i) => 1000 + i));
    expect(window.count).toBe(0);
    for (let i = 1; i <= 100; i++) {
      const packetId = window.add(2, false, null, i);
      expect(window.receive(packetId)).toBe(i);
      expect(window.complete(packetId)).toBe(true);
    }
    expect(window.count).toBe(0);
  });

  it('grows with messages scattered over the identifiers', () => {
    const window = new InflightWindow();
    const kept: number[] = [];
    for (let i = 0; i < 60_000; i++) {
      const packetId = window.add(1, false, [i], i + 1);
      if (i % 17 === 0) kept.push(packetId);
      else window.acknowledge(packetId);
    }
    expect(window.count).toBe(kept.length);
    expect(resendAll(window).map((text) => Number(text.split('#')[1]?.split(' ')[0]))).toEqual(kept);
    expect(kept.map((packetId) => window.acknowledge(packetId))).toEqual(kept.map((_, i) => 17 * i + 1));
  });

  it('resends step by step, and not what has been acknowledged meanwhile', () => {
    const window = new InflightWindow();
    for (let i = 1; i <= 4; i++) addQos1(window, i);
    const resent: number[] = [];
    const resendOne = () => {
      resent.push(window.sequenceOf(window.nextUnsent));
      window.markSent(window.nextUnsent);
    };
    window.beginResend();
    expect([window.count, window.sentCount]).toEqual([4, 0]);
    resendOne();
    expect(window.sentCount).toBe(1);
    window.acknowledge(3);
    expect([window.count, window.sentCount]).toEqual([3, 1]);
    while (window.isResending) resendOne();
    expect(resent).toEqual([1, 2, 4]);
    expect([window.count, window.sentCount]).toEqual([3, 3]);
  });

  it('forgets what is given up, and goes on with the rest', () => {
    const window = new InflightWindow();
    addQos1(window, 11);
    addQos1(window, 12);
    const received = window.add(2, false, null, 13);
    window.receive(received);
    window.beginResend();
    expect(window.drop(1)).toBe(11);
    expect(resendAll(window)).toEqual(['pubrel #3', '12 q1 #2 r0 -']);
    expect([window.count, window.undelivered]).toEqual([2, 1]);
  });

  it('goes on behind the last identifier that was stored', () => {
    const window = new InflightWindow();
    const entry = { qos: 1, retain: false, isReleased: false, identifiers: null } as const;
    window.restore({ ...entry, packetId: 65_535, sequence: 7, order: 0 });
    window.restore({ ...entry, packetId: 3, sequence: 8, order: 1 });
    expect([addQos1(window, 9), addQos1(window, 10)]).toEqual([4, 5]);
    expect(resendAll(window).map((text) => text.split(' ')[0])).toEqual(['7', '8', '9', '10']);
  });
});
