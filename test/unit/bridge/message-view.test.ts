import { describe, expect, it, vi } from 'vitest';
import { CompiledCondition, type Condition } from '../../../src/bridge/condition.js';
import { MessageView } from '../../../src/bridge/message-view.js';
import { textReader } from '../../../src/bridge/value-source.js';
import { testMessage } from '../../support/test-message.js';

function viewOf(payload: string, maximumJsonBytes = 1000): MessageView {
  const view = new MessageView(maximumJsonBytes);
  view.look(testMessage({ topic: 'a/b', payload }));
  return view;
}

function holds(condition: Condition, payload: string): boolean {
  return new CompiledCondition(condition).holds(viewOf(payload));
}

describe('the payload', () => {
  it('is parsed once for a message, also if it is no JSON', () => {
    const parse = vi.spyOn(JSON, 'parse');
    const view = viewOf('{"a":');
    for (let asked = 3; asked > 0; asked--) expect(view.field(['a'])).toBeUndefined();
    expect(parse).toHaveBeenCalledTimes(1);
    parse.mockRestore();
  });

  it('is not parsed at all if it is too large, or does not look like JSON', () => {
    const parse = vi.spyOn(JSON, 'parse');
    expect(viewOf('{"a":"0123456789"}', 10).field(['a'])).toBeUndefined();
    expect(viewOf('').isJson || viewOf('plain').isJson).toBe(false);
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
  });

  it('is that of the message that is looked at', () => {
    const view = viewOf('{"a":1}');
    expect(view.field(['a'])).toBe(1);
    view.look(testMessage({ topic: 'a/b', payload: '{"a":2}' }));
    expect(view.field(['a'])).toBe(2);
  });

  it('shows its own fields only, and plain values', () => {
    const view = viewOf('{"a":{"b":[10,{"c":null}]}}');
    expect(view.field(['a', 'b', '0'])).toBe(10);
    expect(view.field(['a', 'b', '1', 'c'])).toBeNull();
    expect(view.field(['a', 'b'])).toBeUndefined();
    for (const path of [['constructor'], ['a', '__proto__'], ['a', 'b', 'length', 'x']]) {
      expect(view.field(path)).toBeUndefined();
    }
  });
});

describe('a condition', () => {
  it.each<[Condition, string, boolean]>([
    [{ json: 'a', equals: 1 }, '{"a":1}', true],
    [{ json: 'a', equals: 1 }, '{"a":"1"}', false],
    [{ json: 'a', equals: null }, '{"a":null}', true],
    [{ json: 'a', equals: false }, '{"a":false}', true],
    [{ json: 'a', not: 1 }, '{"a":2}', true],
    [{ json: 'a', not: 1 }, '{}', false],
    [{ json: 'a', exists: true }, '{"a":null}', true],
    [{ json: 'a', exists: false }, '{}', true],
    [{ json: 'a', exists: false }, '{"a":0}', false],
    [{ json: 'a', exists: false }, 'no JSON', false],
    [{ json: 'a', in: [1, 'x'] }, '{"a":"x"}', true],
    [{ json: 'a', in: [1, 'x'] }, '{"a":"y"}', false],
    [{ json: 'a', prefix: 'eu' }, '{"a":"eu-1"}', true],
    [{ json: 'a', prefix: '1' }, '{"a":10}', false],
    [{ json: 'a', lessThan: 3 }, '{"a":2.9}', true],
    [{ json: 'a', lessThan: 3 }, '{"a":3}', false],
    [{ json: 'a', atMost: 3, atLeast: 3 }, '{"a":3}', true],
    [{ json: 'a', greaterThan: -1 }, '{"a":"x"}', false],
    [{ json: 'a', greaterThan: -1 }, '{"a":null}', false],
    [{ json: 'a', greaterThan: -1 }, '{"a":""}', false],
  ])('%j of %s: %s', (condition, payload, expected) => {
    expect(holds(condition, payload)).toBe(expected);
  });
});

it('a text that is longer than anybody names a group counts as none', () => {
  const group = textReader({ json: 'group' });
  expect(group(viewOf(`{"group":"${'x'.repeat(1024)}"}`, 5000))).toHaveLength(1024);
  expect(group(viewOf(`{"group":"${'x'.repeat(1025)}"}`, 5000))).toBe('');
  expect(group(viewOf('{"group":7}'))).toBe('7');
});
