import { describe, expect, it } from 'vitest';
import { MessageStreams } from '../../../src/sessions/message-streams.js';
import { TestCounter } from '../../support/delayed-store.js';

describe('MessageStreams', () => {
  it('gives all subscriptions to a filter one stream, and other filters others', () => {
    const streams = new MessageStreams(new TestCounter());
    const first = streams.join('a/+');
    expect(streams.join('a/+')).toBe(first);
    expect(streams.join('a/#').id).not.toBe(first.id);
    expect(first.subscriptions).toBe(2);
    expect(streams.find(first.id)).toBe(first);
  });

  it('never gives out an id again', () => {
    const streams = new MessageStreams(new TestCounter());
    const first = streams.join('a');
    streams.join('a');
    streams.leave('a', first);
    expect(streams.join('a')).toBe(first);
    streams.leave('a', first);
    streams.leave('a', first);
    expect(streams.find(first.id)).toBeUndefined();
    const second = streams.join('a');
    expect(second.id).toBeGreaterThan(first.id);
    const own = streams.openExclusive();
    streams.leave('$share/g/a', own);
    expect(streams.find(own.id)).toBeUndefined();
    expect(streams.openExclusive().id).toBeGreaterThan(own.id);
  });

  it('brings back the streams that subscriptions had before a restart', () => {
    const streams = new MessageStreams(new TestCounter(100));
    const first = streams.rejoin('a', 7);
    expect(streams.rejoin('a', 7)).toBe(first);
    expect([first.id, first.subscriptions, streams.find(7)]).toEqual([7, 2, first]);
    expect(streams.join('a')).toBe(first);
    expect(streams.openExclusive(9).id).toBe(9);
    expect(streams.join('b').id).toBe(101);
  });
});
