// What can be done on the page of an explanation. All pictures are drawn, and all that is known
// stands in the page as data; this chooses which pictures are seen and which of their marks lit.

// Marks that have a place in what is explained, those that one can point at, and those of them that
// the keyboard can reach.
const PLACED = "[data-weights], [data-side], [data-layer], [data-output]";
const POINTED = "[data-step], .cell[data-output]";
const REACHABLE = "circle[data-step], [data-layer][data-step], .cell[data-output]";
const LOOKS = ["pointed", "read", "sharing"];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// The place of a mark, from its attributes and those of its figure, as numbers where they are.
function placeOf(item) {
  const place = { ...item.closest("figure").dataset, ...item.dataset };
  if (item.matches(".pill")) place.side = "output";
  for (const [name, value] of Object.entries(place)) {
    if (/^-?\d+$/.test(value)) place[name] = Number(value);
  }
  if (place.input !== undefined) place.last ??= place.input;
  return place;
}

// How a mark of a network or a map looks under an answer: one of LOOKS, or "" for dim.
function partLook(place, { outputs, inputs, sharing, unit, weights }) {
  const alike = place.unit === undefined || unit === undefined || place.unit === unit;
  if (place.output !== undefined) {
    const steps = place.input === undefined ? [] : range(place.input, place.last);
    const reads = steps.some((step) => inputs.has(key(place.inputPort, step)));
    return alike && reads && outputs.has(key(place.outputPort, place.output)) ? "read" : "";
  }
  if (place.step === undefined) return place.weights === weights ? "read" : "";
  const step = key(place.port, place.step);
  if (place.side === "input") return inputs.has(step) ? "read" : "";
  if (!alike) return "";
  return outputs.has(step) ? "read" : sharing.has(step) ? "sharing" : "";
}

// The same for a mark of the unrolled model, whose lines lead from a source or from a neighbour.
function callLook(place, { found, sharing }, calls) {
  if (place.output === undefined) {
    const step = key(place.layer, place.step);
    return found.has(step) ? "read" : sharing.has(step) ? "sharing" : "";
  }
  const ends = [key(place.layer, place.output)];
  if (place.chain) ends.push(key(place.layer, place.output + (place.chain === "forward" ? -1 : 1)));
  if (place.input !== undefined) {
    ends.push(key(calls.calls[place.layer].sources[place.source], place.input));
  }
  return ends.every((end) => found.has(end)) ? "read" : "";
}

// The colour of the weights that make what is pointed at.
function colourOf(item) {
  const weights = item.closest("[data-weights]")?.getAttribute("class").match(/\bw\d\b/);
  return weights ? `var(--${weights[0]})` : "var(--both)";
}

// The mark that an arrow key leads to: near, and rather ahead than aside.
function neighbour(item, items, [right, down]) {
  const middle = (each) => {
    const box = each.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const [x, y] = middle(item);
  let best = null;
  let least = Infinity;
  for (const each of items) {
    const [dx, dy] = middle(each).map((at, axis) => at - [x, y][axis]);
    const ahead = dx * right + dy * down;
    const aside = Math.abs(dx * down + dy * right);
    if (ahead > 1 && (down !== 0 || aside < ahead) && ahead + 3 * aside < least) {
      least = ahead + 3 * aside;
      best = each;
    }
  }
  return best;
}

// One explanation on a page: its controls, its pictures, and its line of text.
class Explanation {
  constructor(root) {
    this.root = root;
    this.said = root.querySelector(".said");
    this.hint = this.said.textContent;
    this.form = root.querySelector("form");
    this.others = [];
    this.kept = new Map();
    for (const each of root.querySelectorAll("template")) {
      this.kept.set(each.dataset.panel, each.content);
    }
    const panels = [...root.querySelectorAll("[data-panel]")];
    this.panels = new Set(panels.map((each) => each.dataset.panel));
    this.said.hidden = false;
    if (this.form) this.control();
    root.addEventListener("pointerover", (event) => this.point(event.target.closest(POINTED)));
    root.addEventListener("pointerleave", () => this.point(null));
    root.addEventListener("focusin", (event) => this.focus(event.target.closest(REACHABLE)));
    root.addEventListener("focusout", () => this.focus(null));
    root.addEventListener("keydown", (event) => this.press(event));
    this.choose();
  }

  // ---- which pictures are seen

  control() {
    this.form.hidden = false;
    this.form.addEventListener("input", () => this.choose());
    this.form.addEventListener("submit", (event) => event.preventDefault());
  }

  chosen(name) {
    return this.form?.elements[name]?.value ?? "0";
  }

  choose() {
    if (this.form) this.putChosen();
    this.ready();
    this.focus(null);
  }

  putChosen() {
    const [steps, part] = ["steps", "part"].map((name) => this.chosen(name));
    for (const each of this.form.querySelectorAll("[data-of-part]")) {
      each.hidden = each.dataset.ofPart !== part;
    }
    this.offer('[name="steps"]', (each) => `${each.value}/${part}`);
    this.offer('[name="part"] option', (each) => `${steps}/${each.value}`);
    const [seen, calls] = this.root.querySelectorAll(".panel");
    this.put(seen, `${steps}/${part}`);
    if (calls) this.put(calls, `${steps}/calls`);
  }

  // Large pages do not hold every layer for every number of steps.
  offer(choices, panelOf) {
    for (const each of this.form.querySelectorAll(choices)) {
      each.disabled = !this.panels.has(panelOf(each));
    }
  }

  put(holder, name) {
    if (holder.dataset.panel === name) return;
    const before = new DocumentFragment();
    before.append(...holder.childNodes);
    this.kept.set(holder.dataset.panel, before);
    holder.append(this.kept.get(name));
    holder.dataset.panel = name;
  }

  // Read the data of the pictures that are seen, and make their marks reachable.
  ready() {
    const data = (kind) => {
      const script = this.root.querySelector(`.panel script[data-of="${kind}"]`);
      return script && JSON.parse(script.textContent);
    };
    this.part = new Part(data("part"));
    this.calls = data("calls") && new Calls(data("calls"));
    this.items = [...this.root.querySelectorAll(".panel figure")].flatMap((figure) =>
      [...figure.querySelectorAll(PLACED)].map((item) => [item, placeOf(item)]),
    );
    const map = this.chosen(`map-${this.chosen("part")}`);
    this.root.querySelectorAll(".panel figure.map").forEach((figure, number) => {
      figure.hidden = String(number) !== map;
    });
    for (const picture of this.root.querySelectorAll(".panel svg")) {
      picture.setAttribute("role", "group");
      picture.setAttribute("aria-label", picture.querySelector("title").textContent);
      const reachable = [...picture.querySelectorAll(REACHABLE)];
      for (const item of reachable) this.label(item);
      this.enter(picture, picture.querySelector('[tabindex="0"]') ?? reachable[0]);
    }
    const picked = new Set(this.part.ends);
    for (const [item, place] of this.items) {
      item.classList.toggle("picked", !this.part.whole && picked.has(place.layer));
    }
  }

  // ---- which marks are lit

  // Light what belongs to a mark, or to the one in focus, and to its like in the others.
  point(item) {
    const shown = item ?? this.focused;
    this.said.setAttribute("aria-live", "polite");
    this.light(shown);
    for (const other of this.others) {
      // One is read aloud, not all at a time.
      other.said.setAttribute("aria-live", "off");
      other.light(shown && other.alike(placeOf(shown)));
    }
  }

  // The mark at a place, or the one of another unit there.
  alike(place) {
    const names = ["side", "port", "step", "outputPort", "output", "inputPort", "input", "layer"];
    const found = this.items.filter(
      ([item, at]) => item.matches(POINTED) && names.every((name) => at[name] === place[name]),
    );
    const best = found.find(([, at]) => at.unit === place.unit) ?? found[0];
    return best && best[0];
  }

  light(shown) {
    this.root.classList.toggle("pointing", Boolean(shown));
    this.root.classList.toggle("broad", Boolean(shown) && shown.dataset.unit === undefined);
    for (const [each] of this.items) each.classList.remove(...LOOKS);
    if (!shown) {
      this.said.textContent = this.hint;
      return;
    }
    const place = placeOf(shown);
    const [part, calls] = this.answers(shown, place);
    for (const [each, at] of this.items) {
      const look = at.layer === undefined ? partLook(at, part) : callLook(at, calls, this.calls);
      if (look) each.classList.add(look);
    }
    shown.classList.add("pointed");
    this.root.style.setProperty("--pointed", colourOf(shown));
    this.said.textContent = (place.layer === undefined ? part : calls).text;
  }

  // What lights in the pictures of the part, and what in the unrolled model.
  answers(shown, place) {
    if (place.layer !== undefined) {
      const calls = this.calls.answer(place);
      return [this.part.seenFrom(place, calls.found), calls];
    }
    const part = this.part.answer(place);
    part.weights = shown.closest("[data-weights]")?.dataset.weights;
    const found = this.calls && this.calls.ways(this.part, place);
    return [part, { found, sharing: new Set() }];
  }

  // ---- the keyboard

  // Each picture is one stop of the tab key, at the mark where one was last.
  enter(picture, item) {
    for (const each of picture.querySelectorAll(REACHABLE)) {
      each.setAttribute("tabindex", each === item ? "0" : "-1");
    }
  }

  label(item) {
    const place = placeOf(item);
    item.setAttribute("role", "img");
    item.setAttribute("aria-label", this.nameOf(place));
  }

  nameOf(place) {
    if (place.layer !== undefined) {
      return one(this.calls.named(place.layer), place.step);
    }
    const { outputs, inputs } = this.part;
    if (place.input !== undefined) {
      const read = counted(inputs[place.inputPort], range(place.input, place.last));
      return `${one(outputs[place.outputPort], place.output)}, ${read}`;
    }
    const name = (place.side === "output" ? outputs : inputs)[place.port];
    return `${one(name, place.step)}, unit ${place.unit}`;
  }

  focus(item) {
    this.focused = item;
    if (item) this.enter(item.closest("svg"), item);
    this.point(item);
  }

  press(event) {
    const item = event.target.closest(REACHABLE);
    if (!item) return;
    if (event.key === "Escape") item.blur();
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    neighbour(item, item.closest("svg").querySelectorAll(REACHABLE), arrow)?.focus();
  }
}

const explanations = [...document.querySelectorAll(".explanation")].map(
  (root) => new Explanation(root),
);
for (const each of explanations) each.others = explanations.filter((other) => other !== each);
