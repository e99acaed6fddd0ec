import { ListenFailed } from '../../core/errors.js';

/** The address of the SQS endpoint cannot be bound. */
export class SqsListenFailed extends ListenFailed {}
