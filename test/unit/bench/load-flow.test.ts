import { describe, expect, it } from 'vitest';
import { flowFor } from '../../../bench/load/load-flow.js';
import { loadScenarioByName } from '../../../bench/load-scenarios.js';

const nothingAsked = { windowMessages: undefined, batchMessages: undefined };

describe('how much of a load is on its way', () => {
  it.each([
    ['fan-in', 100, 100, 50],
    ['fan-in', 1024, 100, 50],
    ['fan-in', 16_384, 10, 5],
    ['fan-in', 65_536, 2, 1],
    ['fan-out', 100, 40, 20],
    ['fan-out', 65_536, 1, 1],
    ['single-writes', 100, 1, 1],
    ['shared', 65_536, 2, 1],
  ])('%s with %d bytes', (name, payloadBytes, windowMessages, batchMessages) => {
    expect(flowFor(loadScenarioByName(name), nothingAsked, payloadBytes)).toEqual({ windowMessages, batchMessages });
  });

  it('is what was asked for, if it was', () => {
    const asked = { windowMessages: 500, batchMessages: 3 };
    expect(flowFor(loadScenarioByName('fan-in'), asked, 65_536)).toEqual(asked);
  });
});
