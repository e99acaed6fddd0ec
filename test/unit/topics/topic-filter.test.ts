import { describe, expect, it } from 'vitest';
import { describeInvalidFilter, InvalidFilter, parseTopicFilter } from '../../../src/topics/topic-filter.js';
import { filterOf } from '../../support/subscriptions.js';

describe('parseTopicFilter', () => {
  it.each([
    'a',
    '/',
    '+',
    '#',
    '+/+',
    '/+',
    '+/',
    'a/#',
    '/#',
    '+/#',
    'a//b',
    '$SYS/#',
    '$',
    '$share',
    'ü/😀',
    'a/$share/g',
  ])('takes %j as an ordinary filter', (text) => {
    const filter = filterOf(text);
    expect(filter).toMatchObject({ filter: text, shareName: undefined, path: text });
    expect(filter.levels).toEqual(text.split('/'));
  });

  it.each([
    ['$share/g/a', 'g', 'a'],
    ['$share/g/#', 'g', '#'],
    ['$share/g//', 'g', '/'],
    ['$share/g//a', 'g', '/a'],
    ['$share/$share/$share/x/a', '$share', '$share/x/a'],
    ['$share/ ü/+/b', ' ü', '+/b'],
    ['$share/g/$SYS/#', 'g', '$SYS/#'],
  ])('takes %j apart', (text, shareName, path) => {
    expect(filterOf(text)).toMatchObject({ filter: text, shareName, path });
  });

  it.each(['$SHARE/g', '$Share/+/a', '$shared/', '$shareg/a'])('sees nothing special in %j', (text) => {
    expect(filterOf(text)).toMatchObject({ shareName: undefined, path: text });
  });

  it.each([
    ['', 'MQTT-4.7.3-1'],
    ['a\u0000', 'MQTT-4.7.3-2'],
    ['x'.repeat(65_536), 'MQTT-4.7.3-3'],
    ['\ud83d', 'MQTT-1.5.4-1'],
    ['a#', 'MQTT-4.7.1-1'],
    ['#/a', 'MQTT-4.7.1-1'],
    ['a/#/b', 'MQTT-4.7.1-1'],
    ['##', 'MQTT-4.7.1-1'],
    ['#/', 'MQTT-4.7.1-1'],
    ['a/b#', 'MQTT-4.7.1-1'],
    ['a/#b', 'MQTT-4.7.1-1'],
    ['#/#', 'MQTT-4.7.1-1'],
    ['+#', 'MQTT-4.7.1-1'],
    ['a+', 'MQTT-4.7.1-2'],
    ['+a', 'MQTT-4.7.1-2'],
    ['++', 'MQTT-4.7.1-2'],
    ['a/+b/c', 'MQTT-4.7.1-2'],
    ['+/b+/c', 'MQTT-4.7.1-2'],
    ['$share/', 'MQTT-4.8.2-1'],
    ['$share//a', 'MQTT-4.8.2-1'],
    ['$share/g', 'MQTT-4.8.2-2'],
    ['$share/g/', 'MQTT-4.8.2-2'],
    ['$share/+/a', 'MQTT-4.8.2-2'],
    ['$share/g#/a', 'MQTT-4.8.2-2'],
    ['$share/g/a#', 'MQTT-4.7.1-1'],
    ['$share/g/a+', 'MQTT-4.7.1-2'],
  ])('refuses %j by its clause', (text, clause) => {
    const parsed = parseTopicFilter(text, 128);
    expect(parsed).toBeInstanceOf(InvalidFilter);
    expect(parsed).toHaveProperty('reason', expect.stringContaining(clause));
    expect(describeInvalidFilter(text, 128)).toContain(clause);
  });

  it('knows a wildcard in the path from one in nothing', () => {
    expect(filterOf('a/+').hasWildcard).toBe(true);
    expect(filterOf('$share/g/#').hasWildcard).toBe(true);
    expect(filterOf('$share/g/a').hasWildcard).toBe(false);
    expect(filterOf('/').hasWildcard).toBe(false);
  });

  it('counts the levels of the path, not those of $share and the name', () => {
    expect(describeInvalidFilter('$share/g/a/b', 2)).toBeUndefined();
    expect(describeInvalidFilter('$share/g/a/b/c', 2)).toContain('2 levels');
    expect(describeInvalidFilter('a//#', 2)).toContain('2 levels');
  });
});
