/**
 * fast-check with at most fifty runs a property: a mutant that only the thousandth finds would survive here, and that
 * is the price of asking a thousand mutants.
 */
import * as real from "../../node_modules/fast-check/lib/fast-check.js";

const RUNS = 50;

const assert = ((property: real.IRawProperty<unknown>, parameters: real.Parameters<unknown> = {}) =>
  real.assert(property, { ...parameters, numRuns: Math.min(parameters.numRuns ?? RUNS, RUNS) })) as typeof real.assert;

export default { ...real, assert };
