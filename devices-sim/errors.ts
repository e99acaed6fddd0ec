/** Every error that the simulator throws on purpose. `code` is stable; `message` is a sentence for the person at the terminal. */
export abstract class SimulatorError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The command line makes no sense, or asks for what is refused: exit code 2. */
export class UsageError extends SimulatorError {
  readonly code = 'ERR_USAGE';
}

/** Nothing answers at the broker's address, or what answers does not speak MQTT. */
export class BrokerUnreachable extends SimulatorError {
  readonly code = 'ERR_BROKER_UNREACHABLE';
}

/** The broker is there but said no to a connection or a subscription. */
export class BrokerRefused extends SimulatorError {
  readonly code = 'ERR_BROKER_REFUSED';
}

/** A file of the data set is missing or is not what its header promises. */
export class DataSetInvalid extends SimulatorError {
  readonly code = 'ERR_DATA_SET_INVALID';
}
