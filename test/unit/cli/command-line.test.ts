import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../../src/cli/command-line.js';

function parse(line: string) {
  return parseCommandLine(line === '' ? [] : line.split(' '));
}

describe('the command line', () => {
  test.each([
    ['', 'start'],
    ['start', 'start'],
    ['--port 0', 'start'],
    ['check', 'check'],
    ['config print', 'config print'],
    ['config schema', 'config schema'],
  ])('%j runs %s', (line, name) => {
    expect(parse(line)).toMatchObject({ kind: 'run', command: { name } });
  });

  test('takes flags before and after the command, with = or without', () => {
    expect(parse('--port=1 check -c a.yaml --log-level debug')).toMatchObject({
      kind: 'run',
      configFile: 'a.yaml',
      flags: new Map([
        ['port', '1'],
        ['log-level', 'debug'],
      ]),
    });
  });

  test('takes the directory of what is stored', () => {
    expect(parse('start --data /var/lib/millrace')).toMatchObject({ flags: new Map([['data', '/var/lib/millrace']]) });
  });

  test('takes an operand and flags of its own where the command has them', () => {
    expect(parse('scram station-7 --iterations 5000')).toMatchObject({
      kind: 'run',
      command: { name: 'scram' },
      operand: 'station-7',
      options: new Map([['iterations', '5000']]),
      flags: new Map(),
    });
  });

  test('takes an operand that may be left out, and values that begin with a dash', () => {
    expect(parse('queues search --id -x1 --limit=5')).toMatchObject({
      kind: 'run',
      operand: undefined,
      options: new Map([
        ['id', '-x1'],
        ['limit', '5'],
      ]),
    });
    expect(parse('queues search orders')).toMatchObject({ command: { name: 'queues search' }, operand: 'orders' });
  });

  test.each([
    ['--help', undefined],
    ['-h', undefined],
    ['check --help', 'check'],
    ['config print -h --port 1', 'config print'],
  ])('%j asks for help', (line, name) => {
    const request = parse(line);
    expect(request.kind === 'help' && request.command?.name).toBe(name);
  });

  test.each([
    ['strat', ['unknown command strat - did you mean "start"?']],
    ['chekc', ['unknown command chekc - did you mean "check"?']],
    ['zzzzz', ['unknown command zzzzz']],
    ['config', ['config needs a command: config print or config schema']],
    ['config prnit', ['unknown command config prnit - did you mean "config print"?']],
    ['--prot 1', ['unknown flag --prot - did you mean "--port"?', 'unknown command 1']],
    ['--wsport=1 --qqqqqq', ['unknown flag --wsport - did you mean "--ws-port"?', 'unknown flag --qqqqqq']],
    ['-x', ['unknown flag -x']],
    ['--port', ['flag --port needs a value']],
    ['--config --port 1', ['flag --config needs a value', 'unknown command 1']],
    ['--port=', ['flag --port needs a value']],
    ['--data=', ['flag --data needs a value']],
    ['--port 1 --port 2', ['flag --port is given twice']],
    ['--help=1', ['flag --help takes no value']],
    ['check a.yaml', ['unexpected argument a.yaml - did you mean "--config a.yaml"?']],
    ['start now', ['unexpected argument now']],
    ['scram', ['scram needs a USER']],
    ['scram a b', ['unexpected argument b']],
    ['scram a --port 1', ['millrace scram takes no flag --port']],
    ['start --iterations 5000', ['millrace start takes no flag --iterations']],
    ['queues serch', ['unknown command queues serch - did you mean "queues search"?']],
    ['queues search --topc a', ['unknown flag --topc - did you mean "--topic"?']],
    ['queues search a b', ['unexpected argument b']],
    ['queues give-up', ['queues give-up needs a NUMBER']],
    ['config schema --port 1', ['millrace config schema takes no flag --port']],
  ])('%j is misuse', (line, problems) => {
    expect(parse(line)).toEqual({ kind: 'misuse', problems });
  });
});
