import { describe, expect, it } from 'vitest';
import { RecentTopics } from '../../../src/topics/recent-topics.js';
import { TopicScope } from '../../../src/topics/subscription-changes.js';

function hashOf(topic: string): number {
  return new TopicScope(topic).hash;
}

function countKnown(recent: RecentTopics, topics: readonly string[]): number {
  return topics.filter((topic) => recent.note(hashOf(topic))).length;
}

function namesOf(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}/${at}`);
}

describe('RecentTopics', () => {
  it('knows every topic of the last generation', () => {
    const recent = new RecentTopics(1000);
    countKnown(recent, namesOf('earlier', 3210));
    const topics = namesOf('site/1/device', 1000);
    countKnown(recent, topics);
    expect(countKnown(recent, topics)).toBe(1000);
  });

  it.each(['device', 'site/7/temperature', '', 'räume'])('takes few new topics of %s/… for known', (prefix) => {
    const recent = new RecentTopics(10_000);
    expect(countKnown(recent, namesOf(prefix, 100_000))).toBeLessThan(3000);
  });

  it('forgets what has not been noted again for two generations', () => {
    const recent = new RecentTopics(1000);
    const topics = namesOf('device', 1000);
    countKnown(recent, topics);
    // Those that are taken for known are not noted.
    countKnown(recent, namesOf('other', 2200));
    expect(countKnown(recent, topics)).toBeLessThan(60);
  });

  it('works, if badly, with room for nothing', () => {
    const recent = new RecentTopics(0);
    expect(recent.note(hashOf('a'))).toBe(false);
    expect(recent.note(hashOf('a'))).toBe(true);
  });
});
