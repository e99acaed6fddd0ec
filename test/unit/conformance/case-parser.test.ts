import { describe, expect, it } from 'vitest';
import { parseCases } from '../../conformance/corpus/case-parser.js';

function parse(text: string) {
  const { cases, errors } = parseCases('x.cases', text);
  return { cases, errors: errors.map(({ message }) => message) };
}

/** What the cases send, as hexadecimal text, each after the letter of its client. */
function sentBy(text: string): string[][] {
  const { cases, errors } = parse(text);
  expect(errors).toEqual([]);
  return cases.map(({ steps }) =>
    steps.flatMap((step) => (step.kind === 'send' ? `${step.client}:${step.bytes.toString('hex')}` : [])),
  );
}

describe('a line of a case file', () => {
  it('is one case for each version, with its claims', () => {
    const { cases } = parse('# comment\n\n4,5 MQTT-3.1.0-1-,5:MQTT-3.1.2-3+ some words | > c000\n  close\n');
    expect(cases.map(({ version, claims }) => [version, claims])).toEqual([
      [4, [{ id: 'MQTT-3.1.0-1', polarity: '-' }]],
      [
        5,
        [
          { id: 'MQTT-3.1.0-1', polarity: '-' },
          { id: 'MQTT-3.1.2-3', polarity: '+' },
        ],
      ],
    ]);
    expect(cases[0]).toMatchObject({ title: 'some words', place: 'x.cases:3:1', limits: {} });
    expect(cases[0]?.steps.map(({ kind, place }) => [kind, place])).toEqual([
      ['send', 'x.cases:3:48'],
      ['close', 'x.cases:4:3'],
    ]);
  });

  it.each([
    ['c000 0102', 'c0000102'],
    ["'aü'", '000361c3bc'],
    ['"aü"', '61c3bc'],
    ['10 ( 0102 )', '10020102'],
    ['( 00*200 )', `c801${'00'.repeat(200)}`],
    ['[ 0102 () ]', '0003010200'],
    ["'a'*2", '000161000161'],
  ])('sends %s as %s', (notation, bytes) => {
    expect(sentBy(`5 none t | > ${notation}`)).toEqual([[`a:${bytes}`]]);
  });

  it('has steps of several clients, and of the clock', () => {
    const { cases } = parse('5 none t | b:open b< .. drop b:silence end +1.5s +20ms');
    expect(cases[0]?.steps.map((step) => [step.kind, 'client' in step ? step.client : step.ms])).toEqual([
      ['open', 'b'],
      ['expect', 'b'],
      ['drop', 'a'],
      ['silence', 'b'],
      ['end', 'a'],
      ['advance', 1500],
      ['advance', 20],
    ]);
  });

  it('states limits of the broker', () => {
    const { cases } = parse('5 none t | {maximumPacketSize: 1000, queueOverflow: drop-oldest} close');
    expect(cases[0]?.limits).toEqual({ maximumPacketSize: 1000, queueOverflow: 'drop-oldest' });
  });

  it.each([
    ['5 MQTT-3.1.0-9+ t | close', '1:3 MQTT-3.1.0-9+: MQTT version 5 has no statement MQTT-3.1.0-9'],
    ['5 MQTT-3.1.0-1+,MQTT-3.1.0 t | close', '1:17 MQTT-3.1.0: a statement ends in + or -'],
    ['5 none | close', '1:7 a case has a title'],
    ['5 none t close', '1:1 a case is <versions> <statements> <title> | <steps>'],
    ['6 none t | close', '1:1 a case is <versions> <statements> <title> | <steps>'],
    ['5 none t | > 0', '1:14 cannot read 0'],
    ['5 none t |\n  > ( 00\n  close', '3:3 ( is not closed here'],
    ['5 none t | > ..', '1:12 .. and ** stand for bytes that come, not for bytes to send'],
    ['5 none t | < 00 **', '1:12 ** stands in ( … ) or [ … ]'],
    ['5 none t | > *3', '1:14 nothing to repeat'],
    ['5 none t | 00', '1:12 expected a step, found 00'],
    ['5 none t | close >', '1:18 cannot read >'],
    ['5 none t | > $x', '1:14 MQTT version 5 has no macro $x with 0 parameters'],
    ['5 none t | > $x( 00', '1:14 the bracket of $x is not closed'],
    ['5 none t | +1.2.3s', '1:12 +1.2.3s is no time'],
    ['5 none t | {maximumPocketSize: 1} close', '1:11 the broker has no limit maximumPocketSize'],
    ['5 none t | {maximumPacketSize: many} close', '1:11 maximumPacketSize: many is not of the kind of 1048576'],
  ])('%j is told where it is wrong', (text, error) => {
    expect(parse(text).errors).toEqual([`x.cases:${error}`]);
  });

  it('does not keep the others from being read', () => {
    const { cases, errors } = parse('5 none one | close\n5 none two | clos\n5 none three | close');
    expect(cases.map(({ title }) => title)).toEqual(['one', 'three']);
    expect(errors).toHaveLength(1);
  });
});

describe('a macro', () => {
  it('stands for bytes, with its parameters in their places', () => {
    const macros = '$pair(a, b) = $a ( $b )\n$twice(a) = $pair(00, $a $a)';
    expect(sentBy(`${macros}\n5 none t | > $twice(01 02)`)).toEqual([['a:000401020102']]);
    expect(sentBy(`${macros}\n5 none t | > $pair($pair(01, 02), [ 03 ])`)).toEqual([['a:01010203000103']]);
  });

  it('differs by version and by the number of its parameters', () => {
    const macros = '$props@5 = ()\n$props@3,4 =\n$props(a) = ( $a )';
    expect(sentBy(`${macros}\n4,5 none t | > 30 ( 01 $props ) $props(77)`)).toEqual([
      ['a:3001010177'],
      ['a:300201000177'],
    ]);
  });

  it('of steps is played by the client that is named', () => {
    const text = '$hello(id) = > $id < 20 close c> 99\n5 none t | b:$hello(01) $hello(02)';
    expect(sentBy(text)).toEqual([['b:01', 'c:99', 'a:02', 'c:99']]);
    expect(
      parse(text)
        .cases[0]?.steps.map((step) => 'client' in step && step.client)
        .join(''),
    ).toBe('bbbcaaac');
  });

  it('that uses itself is an error', () => {
    expect(parse('$x = $x\n5 none t | > $x').errors[0]).toMatch('x.cases:1:6 the macro $x uses itself');
  });
});
