/**
 * What the kernel says a process has used, read from /proc. All readings are of the whole process with all its threads
 * (for Node: garbage collector and thread pool too), and undefined where there is no /proc or the process has gone.
 */
import { readFileSync } from 'node:fs';

/** USER_HZ: the unit of /proc/PID/stat is 10 ms on every Linux architecture that Node runs on. */
const MS_PER_TICK = 10;

/** User plus system time of the process, in milliseconds, to the nearest 10. */
export function findCpuMs(pid: number): number | undefined {
  const stat = findText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the command in parentheses and may itself hold spaces: count from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

/** Resident memory now, in bytes. */
export function findResidentBytes(pid: number): number | undefined {
  return findKilobytes(`/proc/${pid}/smaps_rollup`, 'Rss') ?? findKilobytes(`/proc/${pid}/status`, 'VmRSS');
}

/** The highest resident memory since the process started, in bytes. */
export function findPeakResidentBytes(pid: number): number | undefined {
  return findKilobytes(`/proc/${pid}/status`, 'VmHWM');
}

function findKilobytes(path: string, field: string): number | undefined {
  const match = findText(path)?.match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'));
  return match ? Number(match[1]) * 1024 : undefined;
}

function findText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
