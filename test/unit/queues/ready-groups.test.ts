import { expect, it } from 'vitest';
import { GroupLane } from '../../../src/queues/group-lane.js';
import { ReadyGroups, turnCost } from '../../../src/queues/ready-groups.js';

/** Serves so many turns of lanes that always have something to give, at the cost of each. */
function serve(turns: number, lanes: readonly (readonly [lane: GroupLane, priority: number, cost: number])[]) {
  const ready = new ReadyGroups();
  const served = new Map<string, number>();
  for (const [lane, priority] of lanes) ready.add(lane, priority, 1);
  for (let turn = 0; turn < turns; turn++) {
    const lane = ready.take();
    const found = lanes.find(([candidate]) => candidate === lane);
    if (lane === null || found === undefined) break;
    served.set(lane.group, (served.get(lane.group) ?? 0) + 1);
    ready.add(lane, found[1], found[2]);
  }
  return served;
}

it('groups of one priority take turns', () => {
  const lanes = ['a', 'b', 'c', 'd'].map((name) => [new GroupLane(name, 0), 0, 1] as const);
  expect([...serve(400, lanes).values()]).toEqual([100, 100, 100, 100]);
});

it('a group whose turns cost more gets fewer of them, in proportion', () => {
  const served = serve(1100, [
    [new GroupLane('dear', 0), 0, 10],
    [new GroupLane('cheap', 0), 0, 1],
  ]);
  expect(served.get('dear')).toBeGreaterThan(90);
  expect(served.get('dear')).toBeLessThan(110);
});

it('each priority has its part of the turns, the highest the most', () => {
  const lanes = Array.from(
    { length: 10 },
    (_, priority) => [new GroupLane(`${priority}`, priority), priority, 1] as const,
  );
  const served = serve(2600, lanes);
  for (let priority = 0; priority < 9; priority++) expect(served.get(`${priority}`)).toBeGreaterThanOrEqual(2600 / 26);
  expect(served.get('9')).toBeGreaterThan(1000);
});

it('a lane that is taken off the list is not served, wherever it stood', () => {
  const ready = new ReadyGroups();
  const lanes = ['a', 'b', 'c'].map((name) => new GroupLane(name, 0));
  for (const lane of lanes) ready.add(lane, 4, 1);
  ready.remove(lanes[1] as GroupLane);
  ready.remove(lanes[1] as GroupLane);
  expect([ready.take(), ready.take(), ready.take()].map((lane) => lane?.group)).toEqual(['a', 'c', undefined]);
  expect(ready.isEmpty).toBe(true);
});

it('a newcomer does not keep out who sits out', () => {
  const ready = new ReadyGroups();
  const patient = new GroupLane('patient', 0);
  ready.add(patient, 0, 24);
  for (let turn = 0; turn < 30; turn++) {
    ready.add(new GroupLane(`new ${turn}`, 0), 0, 1);
    if (ready.take() === patient) return;
  }
  expect.unreachable();
});

it('a turn costs by messages and bytes, within bounds', () => {
  expect(turnCost(1, 100)).toBe(1);
  expect(turnCost(1, 64 * 1024)).toBe(5);
  expect(turnCost(10, 0)).toBe(10);
  expect(turnCost(1, 2 ** 28)).toBe(24);
});
