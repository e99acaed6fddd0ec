import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Qos } from '../../../src/core/message.js';
import { Readiness } from '../../../src/core/subscriber.js';
import { SharedGroup } from '../../../src/topics/shared-group.js';
import { subscriptionOf } from '../../support/subscriptions.js';

interface Worker {
  readonly name: string;
  state: Readiness;
}

const FILTER = '$share/g/a';

/** A group of workers, and a count of how often it asked one of them. */
class Scene {
  readonly group = new SharedGroup<Worker>(FILTER);
  readonly workers: Worker[] = [];
  asked = 0;

  constructor(...states: Readiness[]) {
    for (const state of states) this.join(state);
  }

  join(state: Readiness, qos: Qos = 1): Worker {
    const worker = { name: String(this.workers.length), state };
    this.workers.push(worker);
    this.group.add(subscriptionOf(worker, FILTER, { qos }));
    return worker;
  }

  choose(qos: Qos = 1): Worker | undefined {
    return this.group.choose(({ subscriber }) => {
      this.asked++;
      return subscriber.state;
    }, qos)?.subscriber;
  }

  names(choices: number, qos: Qos = 1): string {
    return Array.from({ length: choices }, () => this.choose(qos)?.name ?? '-').join('');
  }
}

const { Ready, Full, Away, Gone } = Readiness;

describe('SharedGroup', () => {
  it('gives ready members their turn one after another', () => {
    expect(new Scene(Ready, Ready, Ready).names(7)).toBe('0120120');
  });

  it('passes over who is not ready, and takes it in again when it is', () => {
    const scene = new Scene(Ready, Full, Ready, Away);
    expect(scene.names(4)).toBe('0202');
    (scene.workers[1] as Worker).state = Ready;
    (scene.workers[3] as Worker).state = Ready;
    expect([...scene.names(4)].sort().join('')).toBe('0123');
  });

  it('takes turns among the full ones when nobody is ready', () => {
    expect(new Scene(Full, Away, Full, Gone).names(4, 0)).toBe('0202');
  });

  it('lets a message wait with those who are away only if nobody is connected', () => {
    const scene = new Scene(Away, Gone, Away);
    expect(scene.names(4, 1)).toBe('0202');
    const full = scene.join(Full);
    expect(scene.names(2, 1)).toBe('33');
    full.state = Away;
    expect([...scene.names(3, 2)].sort().join('')).toBe('023');
  });

  it('lets no QoS 0 message wait, nor any message for a member that gets it at QoS 0', () => {
    const scene = new Scene(Away);
    expect(scene.choose(0)).toBeUndefined();
    const atQos0 = new Scene();
    atQos0.join(Away, 0);
    expect(atQos0.choose(2)).toBeUndefined();
    const other = atQos0.join(Away, 1);
    expect(atQos0.choose(2)).toBe(other);
    expect(atQos0.choose(2)).toBe(other);
  });

  it('chooses nobody when all are gone, or nobody is there', () => {
    expect(new Scene(Gone, Gone).choose(2)).toBeUndefined();
    expect(new Scene().choose(2)).toBeUndefined();
  });

  it('gives each member what it subscribed for, and a change of options does not change its turn', () => {
    const scene = new Scene(Ready, Ready);
    const [first] = scene.workers as [Worker];
    expect(scene.group.add(subscriptionOf(first, FILTER, { qos: 2, identifier: 9 }))).toBe(false);
    expect(scene.group.memberCount).toBe(2);
    expect(scene.group.choose(() => Ready, 1)).toMatchObject({ subscriber: first, qos: 2, identifiers: [9] });
    expect(scene.names(2)).toBe('10');
  });

  it('keeps the turns of the others when members leave', () => {
    const scene = new Scene(Ready, Ready, Ready, Ready);
    expect(scene.names(1)).toBe('0');
    expect(scene.group.remove(scene.workers[1] as Worker)).toBe(true);
    expect(scene.group.remove(scene.workers[1] as Worker)).toBe(false);
    expect(scene.names(4)).toBe('2302');
    for (const at of [0, 2]) scene.group.remove(scene.workers[at] as Worker);
    expect(scene.names(2)).toBe('33');
    scene.group.remove(scene.workers[3] as Worker);
    expect(scene.names(1)).toBe('-');
    expect(scene.group.memberCount).toBe(0);
  });

  it('asks one member per message when all are ready, and few when nearly all are away', () => {
    const ready = new Scene(...new Array<Readiness>(10_000).fill(Ready));
    ready.names(1000);
    expect(ready.asked).toBe(1000);

    const away = new Scene(...new Array<Readiness>(10_000).fill(Away));
    const last = away.join(Ready);
    expect(away.choose()).toBe(last);
    away.asked = 0;
    for (let message = 0; message < 1000; message++) expect(away.choose()).toBe(last);
    expect(away.asked).toBeLessThanOrEqual(5 * 1000);

    last.state = Away;
    away.asked = 0;
    away.names(1000);
    expect(away.asked).toBeLessThanOrEqual(1000 * 200);
  });

  it('notices a member that came back, whatever the size of the group', () => {
    const scene = new Scene(...new Array<Readiness>(10_000).fill(Away));
    scene.names(10);
    const returned = scene.workers[3333] as Worker;
    returned.state = Ready;
    let choices = 1;
    while (scene.choose(0) !== returned) choices++;
    expect(choices).toBeLessThanOrEqual(10_000 / 64 + 1);
  });

  it('never passes over a better member while the group is small, and is fair among equals', () => {
    const state = fc.constantFrom(Ready, Full, Away, Gone);
    fc.assert(
      fc.property(
        fc.array(fc.array(state, { minLength: 5, maxLength: 5 })),
        fc.constantFrom<Qos>(0, 1),
        (rounds, qos) => {
          const scene = new Scene(Ready, Ready, Ready, Ready, Ready);
          for (const states of rounds) {
            for (const [at, worker] of scene.workers.entries()) worker.state = states[at] as Readiness;
            const eligible = states.filter((one) => one < (qos === 0 ? Away : Gone));
            const best = Math.min(...eligible);
            const chosen = Array.from({ length: 10 }, () => scene.choose(qos));
            if (eligible.length === 0) {
              expect(new Set(chosen)).toEqual(new Set([undefined]));
              continue;
            }
            expect(new Set(chosen.map((worker) => worker?.state))).toEqual(new Set([best]));
            const equals = states.filter((one) => one === best).length;
            expect(new Set(chosen.slice(0, equals)).size).toBe(equals);
          }
        },
      ),
    );
  });
});
