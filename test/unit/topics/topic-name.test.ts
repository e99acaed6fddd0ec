import { describe, expect, it } from 'vitest';
import { startsWithDollar, validateTopicName } from '../../../src/topics/topic-name.js';

describe('validateTopicName', () => {
  it.each(['a', '/', '//', 'a/b', '/a', 'a/', ' ', '$SYS/x', 'a b/ü/😀', 'ACCOUNTS', '\uFEFF', 'x'.repeat(65_535)])(
    'accepts %j',
    (topic) => expect(validateTopicName(topic, 128)).toBeUndefined(),
  );

  it.each([
    ['', 'MQTT-4.7.3-1'],
    ['a/+', 'MQTT-4.7.0-1'],
    ['a+', 'MQTT-4.7.0-1'],
    ['#', 'MQTT-4.7.0-1'],
    ['a\u0000b', 'MQTT-4.7.3-2'],
    ['x'.repeat(65_536), 'MQTT-4.7.3-3'],
    ['ü'.repeat(32_768), 'MQTT-4.7.3-3'],
    ['a\ud800', 'MQTT-1.5.4-1'],
    ['\udc00a', 'MQTT-1.5.4-1'],
    ['\ud800a', 'MQTT-1.5.4-1'],
  ])('refuses %j by its clause', (topic, clause) => {
    expect(validateTopicName(topic, 65_536)).toContain(clause);
  });

  it('measures the limit in bytes of UTF-8', () => {
    expect(validateTopicName(`${'ü'.repeat(32_767)}x`, 1)).toBeUndefined();
    expect(validateTopicName(`${'ü'.repeat(32_767)}xx`, 1)).toContain('MQTT-4.7.3-3');
  });

  it('counts empty levels against the maximum', () => {
    expect(validateTopicName('a/b/c', 3)).toBeUndefined();
    expect(validateTopicName('a//c', 2)).toContain('2 levels');
    expect(validateTopicName('/', 1)).toContain('1 levels');
  });
});

describe('startsWithDollar', () => {
  it('looks at the first character only', () => {
    expect(startsWithDollar('$SYS')).toBe(true);
    expect(startsWithDollar('a/$SYS')).toBe(false);
    expect(startsWithDollar('/$SYS')).toBe(false);
  });
});
