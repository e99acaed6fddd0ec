/** Move tasks by their handles: the source and when it was started, as one text. */
import { SqsError } from './sqs-error.js';

/** As SQS. */
export const MOST_PER_SECOND = 500;

interface MoveTask {
  readonly sourceArn: string;
  readonly startedAtMs: number;
}

export function moveTaskHandle(sourceArn: string, startedAtMs: number): string {
  return Buffer.from(JSON.stringify({ sourceArn, startedAtMs })).toString('base64');
}

/** @throws SqsError */
export function readMoveTaskHandle(handle: string): MoveTask {
  try {
    const { sourceArn, startedAtMs } = JSON.parse(Buffer.from(handle, 'base64').toString()) as Record<string, unknown>;
    if (typeof sourceArn === 'string' && typeof startedAtMs === 'number') return { sourceArn, startedAtMs };
  } catch {
    // It is refused below.
  }
  throw new SqsError('ResourceNotFoundException', 'Task does not exist.');
}
