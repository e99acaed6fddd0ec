import { MillraceError } from '../core/errors.js';
import { didYouMean } from './suggestion.js';

/** One thing that is wrong with the configuration. */
export interface ConfigurationProblem {
  /** Where it stands: `config.yaml:4:5`, `environment MILLRACE__MQTT__RECEIVE_MAXIMUM`, `flag --port`. */
  readonly where: string;
  /** The setting by its path, `mqtt.receiveMaximum`; empty if the problem is not about one setting. */
  readonly path: string;
  readonly message: string;
  /** The name that was probably meant. */
  readonly suggestion?: string | undefined;
}

/** `where: path: message - did you mean "x"?` */
export function problemText(problem: ConfigurationProblem): string {
  const subject = problem.path === '' ? '' : `${problem.path}: `;
  return `${problem.where}: ${subject}${problem.message}${didYouMean(problem.suggestion)}`;
}

/** The configuration cannot be used. Carries every problem that was found, not only the first. */
export class ConfigurationError extends MillraceError {
  readonly code = 'ERR_CONFIGURATION';
  readonly problems: readonly ConfigurationProblem[];

  constructor(problems: readonly ConfigurationProblem[]) {
    super(problems.map(problemText).join('\n'));
    this.problems = problems;
  }
}
