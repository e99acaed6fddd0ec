/** What must hold between the settings of `auth`. */
import type { AuthSettings } from './auth-schema.js';
import type { BrokenRule } from './broken-rule.js';
import type { Settings } from './config-schema.js';

export function* soundAuthentication({ auth }: Settings): Generator<BrokenRule> {
  const { jwt, http } = auth;
  if (jwt.jwksUrl !== undefined && (jwt.secretFile !== undefined || jwt.keyFile !== undefined)) {
    yield {
      paths: [['auth', 'jwt', 'jwksUrl']],
      message: 'auth.jwt.jwksUrl goes with neither secretFile nor keyFile: the keys come from one place',
    };
  }
  if (!takesTokens(jwt)) {
    // Whoever has set them counts on tokens being looked at.
    const keys = (['issuer', 'audience', 'algorithms'] as const).filter((key) => (jwt[key]?.length ?? 0) > 0);
    for (const key of keys) {
      yield {
        paths: [['auth', 'jwt', key]],
        message: `auth.jwt.${key} has no effect without secretFile, keyFile or jwksUrl`,
      };
    }
  }
  if (http.url === undefined && http.headersFile !== undefined) {
    yield { paths: [['auth', 'http', 'headersFile']], message: 'auth.http.headersFile has no effect without url' };
  }
}

/** Whether there is anything to verify tokens with. */
export function takesTokens({ secretFile, keyFile, jwksUrl }: AuthSettings['jwt']): boolean {
  return secretFile !== undefined || keyFile !== undefined || jwksUrl !== undefined;
}
