/**
 * What strace has seen of a process: the calls that read and write, in the order in which they began and ended. A call
 * that ended on an earlier line than another began had done its work before the other started to: the traced thread
 * stands still until strace has written its line.
 *
 * Reads the output of `strace -f -yy -xx`: descriptors with their targets, all text in hexadecimal.
 */
import { spawnSync } from 'node:child_process';

/** What the trace needs of strace, the output file to be appended. */
export const STRACE = [
  'strace',
  '-f',
  '-yy',
  '-xx',
  // No message of these tests, and no group of them, is larger.
  '-s',
  '4194304',
  '-e',
  'trace=read,readv,recvfrom,recvmsg,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,fsync,fdatasync',
  '-e',
  'signal=none',
  '-o',
] as const;

/** Why there can be no trace on this machine; undefined if there can. */
export const TRACE_OBSTACLE: string | undefined = findObstacle();

function findObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'it needs Linux';
  const { error, status } = spawnSync('strace', ['-f', '-yy', '-o', '/dev/null', 'true']);
  if (error !== undefined) return 'it needs strace (Debian: strace)';
  return status === 0 ? undefined : 'strace may not trace here (ptrace is forbidden)';
}

export interface SystemCall {
  readonly name: string;
  /** What its descriptor stands for: a path, or `TCP:[ours->theirs]`. */
  readonly target: string;
  /** The bytes that were read or written. */
  readonly data: Buffer;
  /** Lines of the trace. */
  readonly began: number;
  readonly ended: number;
}

const CALL = /^(\w+)\((\d+)<(.*?)>[,)]/;
const READS = new Set(['read', 'readv', 'recvfrom', 'recvmsg']);
const SYNCS = new Set(['fsync', 'fdatasync']);

/** The successful calls on descriptors whose target `isWanted`. */
export function readTrace(text: string, isWanted: (target: string) => boolean): SystemCall[] {
  const calls: SystemCall[] = [];
  /** Calls that have begun, by thread. */
  const open = new Map<string, { readonly text: string; readonly began: number }>();
  for (const [line, content] of text.split('\n').entries()) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(content) ?? [];
    if (rest.endsWith(' <unfinished ...>')) {
      open.set(thread, { text: rest.slice(0, -' <unfinished ...>'.length), began: line });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest);
    const begun = resumed === null ? undefined : open.get(thread);
    if (resumed !== null) open.delete(thread);
    const whole = resumed === null ? rest : `${begun?.text ?? ''}${rest.slice(resumed[0].length)}`;
    const call = parseCall(whole, begun?.began ?? line, line, isWanted);
    if (call !== undefined) calls.push(call);
  }
  return calls.sort((a, b) => a.began - b.began);
}

function parseCall(
  text: string,
  began: number,
  ended: number,
  isWanted: (target: string) => boolean,
): SystemCall | undefined {
  const [, name, , rawTarget = ''] = CALL.exec(text) ?? [];
  if (name === undefined) return undefined;
  const target = bytesOf(rawTarget).toString();
  if (!isWanted(target)) return undefined;
  const result = Number(/\) += (-?\d+)/.exec(text.slice(text.lastIndexOf(')')))?.[1] ?? -1);
  if (result < 0) return undefined;
  if (SYNCS.has(name)) return { name, target, data: Buffer.alloc(0), began, ended };
  const strings = [...text.slice(rawTarget.length).matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)];
  const data = Buffer.concat(strings.map(([, escaped = '']) => bytesOf(escaped))).subarray(0, result);
  return { name, target, data, began, ended };
}

export function isRead({ name }: SystemCall): boolean {
  return READS.has(name);
}

export function isSync({ name }: SystemCall): boolean {
  return SYNCS.has(name);
}

/** `\x61\x2f` → `a/`; what is not escaped stays. */
function bytesOf(text: string): Buffer {
  if (!text.includes('\\x')) return Buffer.from(text);
  return Buffer.from(text.replaceAll('\\x', ''), 'hex');
}
