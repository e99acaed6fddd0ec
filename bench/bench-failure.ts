/** Something that makes a measurement impossible: a broker that does not start, a refused connection, a wrong flag. */
export class BenchFailure extends Error {
  readonly code = 'ERR_BENCH';

  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}
