// What the page of an explanation says and lights when something is pointed at, from plain data.
"use strict";

// ---- words

const MOST_NAMES = 3;

const where = (row) => row.flatMap((does, step) => (does ? [step] : []));
const column = (rows, step) => rows.map((row) => row[step]);
const range = (first, last) => Array.from({ length: last - first + 1 }, (_, at) => first + at);

// [0, 1, 2, 3, 6] in words: "0-3, 6"; runs of up to three are spelt out.
function numbers(steps) {
  const runs = [];
  for (const step of steps) {
    const run = runs.at(-1);
    if (run && run.at(-1) === step - 1) run.push(step);
    else runs.push([step]);
  }
  const written = (run) => (run.length > 3 ? `${run[0]}-${run.at(-1)}` : run.join(", "));
  return runs.map(written).join(", ");
}

// What is named here has a name and a number of steps; what has one step only is named alone.
const one = ({ name, steps }, step) => (steps === 1 ? name : `${name} step ${step}`);

function counted(named, found) {
  if (found.length === 0) return named.steps === 1 ? `no ${named.name}` : `no ${named.name} step`;
  if (found.length === 1) return one(named, found[0]);
  return `${named.name} steps ${numbers(found)}`;
}

const joined = (groups) => groups.map((group) => counted(...group)).join(" and ");

function listed(names) {
  const more = names.length - MOST_NAMES;
  const first = names.slice(0, MOST_NAMES).join(", ");
  return more > 0 ? `${first} and ${more} more` : first;
}

// Weights with the steps that each of them makes: those of several steps, and those of one alone.
function made(weights) {
  const groups = new Map();
  for (const { path, users } of weights) {
    const steps = users.length > 1 ? numbers(users) : "";
    groups.set(steps, [...(groups.get(steps) ?? []), path]);
  }
  const parts = [...groups].map(([steps, paths]) =>
    steps ? `${listed(paths)}, shared by steps ${steps}` : `its own part of ${listed(paths)}`,
  );
  return parts.length > 0 ? `; made by ${parts.join("; and by ")}` : "";
}

// The weights that a step uses, each with the steps that it makes.
function used(weights, step, stepsOf) {
  return weights
    .filter((weight) => stepsOf(weight)[step])
    .map((weight) => ({
      path: weight.path,
      users: weight.shared ? where(stepsOf(weight)) : [step],
    }));
}

// ---- steps

// Steps are kept in sets of keys; a group is [number of a port or call, steps].
const key = (number, step) => `${number}:${step}`;
const keys = (groups) =>
  new Set(groups.flatMap(([number, steps]) => steps.map((step) => key(number, step))));
const both = (one, other) => new Set([...one].filter((each) => other.has(each)));

// Groups of the steps behind keys, in order.
function grouped(found) {
  const groups = new Map();
  for (const [number, step] of [...found].map((each) => each.split(":").map(Number))) {
    groups.set(number, [...(groups.get(number) ?? []), step]);
  }
  return [...groups].map(([number, steps]) => [number, steps.sort((a, b) => a - b)]);
}

// Outputs, and what they read of inputs: of the whole model, or of one of its layers.
class Part {
  constructor(data) {
    Object.assign(this, data);
  }

  readBy(output, step) {
    const maps = this.maps.filter((map) => map.output === output);
    return maps.map(({ input, depends }) => [input, where(depends[step])]);
  }

  readersOf(input, step) {
    const maps = this.maps.filter((map) => map.input === input);
    return maps.map(({ output, depends }) => [output, where(column(depends, step))]);
  }

  unseen(output, step) {
    const maps = this.maps.filter((map) => map.output === output && map.witnessed);
    return maps
      .map(({ input, depends, witnessed }) => [
        input,
        where(depends[step].map((does, from) => does && !witnessed[step][from])),
      ])
      .filter(([, steps]) => steps.length > 0);
  }

  weightsOf(output, step) {
    return used(this.weights, step, (weight) => weight.steps[output]);
  }

  words(side, groups) {
    return joined(groups.map(([number, steps]) => [this[side][number], steps]));
  }

  answerOutput({ port, step, unit }) {
    const read = this.readBy(port, step);
    const unseen = this.unseen(port, step);
    const weights = this.weightsOf(port, step);
    const doubt = unseen.length > 0 ? ` (not seen: ${this.words("inputs", unseen)})` : "";
    const reads = `${one(this.outputs[port], step)} reads ${this.words("inputs", read)}`;
    return {
      text: `${reads}${doubt}${made(weights)}`,
      outputs: keys([[port, [step]]]),
      inputs: keys(read),
      sharing: keys(weights.map(({ users }) => [port, users])),
      unit,
    };
  }

  answerInput({ port, step }) {
    const readers = this.readersOf(port, step);
    const name = one(this.inputs[port], step);
    return {
      text: `${name} is read by ${this.words("outputs", readers)}`,
      outputs: keys(readers),
      inputs: keys([[port, [step]]]),
      sharing: new Set(),
    };
  }

  verdict({ depends, witnessed }, output, input) {
    if (!depends[output][input]) return ["cannot read", "ruled out by the program"];
    if (!witnessed) return ["may read", "not ruled out"];
    if (!witnessed[output][input]) return ["may read", "not ruled out, not seen"];
    return ["reads", "seen by changing it"];
  }

  // An output step and an input step, or several side by side of which the same is known.
  answerPair({ outputPort, output, inputPort, input, last }) {
    const map = this.maps.find((each) => each.output === outputPort && each.input === inputPort);
    const steps = [[inputPort, range(input, last)]];
    const [verb, proof] = this.verdict(map, output, input);
    const name = one(this.outputs[outputPort], output);
    return {
      text: `${name} ${verb} ${this.words("inputs", steps)}: ${proof}`,
      outputs: keys([[outputPort, [output]]]),
      inputs: keys(steps),
      sharing: new Set(),
    };
  }

  // What lights here when a step of a call is pointed at, which leads to the steps found.
  seenFrom({ layer, step }, found) {
    const [end, start] = [this.ends, this.starts].map((calls) => calls.indexOf(layer));
    if (end >= 0) return this.answerOutput({ port: end, step });
    if (start >= 0) return this.answerInput({ port: start, step });
    const ports = (calls) =>
      keys(grouped(found).map(([call, steps]) => [calls.indexOf(call), steps]));
    return { outputs: ports(this.ends), inputs: ports(this.starts), sharing: new Set() };
  }

  answer(place) {
    if (place.input !== undefined) return this.answerPair(place);
    return place.side === "output" ? this.answerOutput(place) : this.answerInput(place);
  }
}

// The calls of a model's layers, step by step; input k counts as the call -1 - k.
class Calls {
  constructor({ calls, inputs }) {
    this.calls = calls;
    this.inputs = inputs;
  }

  named(call) {
    return call < 0 ? this.inputs[-1 - call] : this.calls[call];
  }

  readBy(call, step) {
    if (call < 0) return [];
    const { sources, depends } = this.calls[call];
    return sources.map((source, number) => [source, where(depends[number][step])]);
  }

  readersOf(call, step) {
    return this.calls.flatMap(({ sources, depends }, reader) =>
      sources.flatMap((source, number) =>
        source === call ? [[reader, where(column(depends[number], step))]] : [],
      ),
    );
  }

  // The steps that a recurrent layer's state goes to next from one, or comes from.
  handed(call, step, ahead) {
    const { chain, steps } = this.calls[call] ?? { chain: "" };
    const on = { "": [], forward: [1], backward: [-1], both: [1, -1] }[chain];
    const next = on.map((by) => step + (ahead ? by : -by));
    return [[call, next.filter((each) => each >= 0 && each < steps)]];
  }

  // All steps that one comes to, itself included: by going on and on, or through one layer alone.
  reached(call, step, far, ahead) {
    const found = keys(call === null ? [] : [[call, [step]]]);
    for (const each of found) {
      const [at, of] = each.split(":").map(Number);
      const next = ahead ? this.readersOf(at, of) : this.readBy(at, of);
      const first = at === call && of === step;
      const others = [
        ...(far || first ? next : []),
        ...(far || at === call ? this.handed(at, of, ahead) : []),
      ];
      for (const other of keys(others)) found.add(other);
    }
    return found;
  }

  behind(call, step, far = true) {
    return this.reached(call, step, far, false);
  }

  ahead(call, step, far = true) {
    return this.reached(call, step, far, true);
  }

  // What lights here when a place of a part is pointed at: all ways that lead to it, or from it.
  ways({ ends, starts, whole }, place) {
    const back = (port, step) => this.behind(ends[port], step, whole);
    const forth = (port, step) => this.ahead(starts[port], step, whole);
    if (place.side === "output") return back(place.port, place.step);
    if (place.side === "input") return forth(place.port, place.step);
    const steps = range(place.input, place.last);
    const reached = steps.flatMap((step) => [...forth(place.inputPort, step)]);
    return both(back(place.outputPort, place.output), new Set(reached));
  }

  words(groups) {
    return joined(groups.map(([call, steps]) => [this.named(call), steps]));
  }

  answerCall(call, step) {
    const { sources, weights } = this.calls[call];
    const found = this.behind(call, step);
    const far = grouped(found).filter(([each]) => each < 0 && !sources.includes(each));
    const through = far.length > 0 ? `, in the end ${this.words(far)}` : "";
    const users = used(weights, step, (weight) => weight.steps);
    const read = this.words(this.readBy(call, step));
    const reads = `${one(this.named(call), step)} reads ${read}`;
    return {
      text: `${reads}${through}${made(users)}`,
      found,
      sharing: keys(users.map((each) => [call, each.users])),
    };
  }

  answerInput(call, step) {
    const readers = this.words(this.readersOf(call, step));
    return {
      text: `${one(this.named(call), step)} is read by ${readers}`,
      found: this.ahead(call, step),
      sharing: new Set(),
    };
  }

  answer({ layer, step }) {
    return layer < 0 ? this.answerInput(layer, step) : this.answerCall(layer, step);
  }
}
