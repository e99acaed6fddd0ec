/** Errors of the queues: each has a stable code. What concerns one message of a batch is an outcome, and no error. */
import { MillraceError } from '../core/errors.js';

/** An option of a queue makes no sense; `option` names it. */
export class InvalidQueueOption extends MillraceError {
  readonly code = 'ERR_INVALID_QUEUE_OPTION';
  readonly option: string;

  constructor(option: string, message: string) {
    super(`${option}: ${message}`);
    this.option = option;
  }
}

export class QueueNotFound extends MillraceError {
  readonly code = 'ERR_QUEUE_NOT_FOUND';
}

/** A queue of that name exists with other options. */
export class QueueExists extends MillraceError {
  readonly code = 'ERR_QUEUE_EXISTS';
}

/** What a queue has recorded cannot be understood. */
export class DamagedQueueRecord extends MillraceError {
  readonly code = 'ERR_DAMAGED_QUEUE_RECORD';
}

/** A redrive of the queue is running already. */
export class RedriveRunning extends MillraceError {
  readonly code = 'ERR_REDRIVE_RUNNING';
}

/** The queue keeps no history: nothing can be found in it. */
export class NoHistory extends MillraceError {
  readonly code = 'ERR_NO_HISTORY';
  readonly queue: string;

  constructor(queue: string) {
    super(`The queue ${queue} keeps no history: see its option historyMs`);
    this.queue = queue;
  }
}

/** A search asks for what makes no sense; `parameter` names it. */
export class InvalidTraceQuery extends MillraceError {
  readonly code = 'ERR_INVALID_TRACE_QUERY';
  readonly parameter: string;

  constructor(parameter: string, message: string) {
    super(`${parameter}: ${message}`);
    this.parameter = parameter;
  }
}
