/** What `--help` prints; the guide with the reasons is docs/simulator.md. */
export const HELP_TEXT = `Replays real measurements through a broker that is already running, one MQTT connection for each station, and checks
that every reading comes back out.

usage: npm run sim -- [flags]

  --url URL          the broker (mqtt://127.0.0.1:1883); mqtts, ws and wss too
  --protocol 4|5|mixed
                     MQTT 3.1.1, MQTT 5, or every other device the one or the other (mixed)
  --devices N        connections; more than there are stations give series out again (one for each station)
  --readings N       readings that each device sends at most (120)
  --rate N           readings a second and device (5)
  --speed steady|max steady keeps to --rate, max sends as fast as the broker acknowledges (steady)
  --qos 0|1|2        of the readings (1)
  --in-flight N      unacknowledged readings of one device at most (4)
  --ramp N           connections opened a second (200)
  --loop             begin again at the end, until Ctrl-C
  --seed N           of the jitter; the same seed repeats a run (1)
  --run NAME         names the run in topics and client ids (a fresh name)
  --patience SECONDS give up when nothing moves for so long (10)
  --keep-status      leave the retained devices/<id>/status messages in the broker
  --allow-remote     allow a broker on another machine
  --help

exit code: 0 every reading was delivered, 1 it was not or no broker answers, 2 wrong flags`;
