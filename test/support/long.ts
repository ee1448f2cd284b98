/**
 * Whether tests that repeat something take their time: the CI sets SOCKLET_TEST_LONG=1. Without it the whole suite is to
 * end within five minutes on two cores.
 */
export const LONG = process.env['SOCKLET_TEST_LONG'] === '1'
