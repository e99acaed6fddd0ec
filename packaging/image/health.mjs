// HEALTHCHECK of the image: exits with 0 if the broker is ready. HEALTH_URL names another address than that of the
// configuration in the image.
const { HEALTH_URL = 'http://127.0.0.1:8080/health/ready' } = process.env;

try {
  const response = await fetch(HEALTH_URL, { signal: AbortSignal.timeout(4000) });
  console.log((await response.text()).trim());
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  console.log(`${HEALTH_URL}: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}
