"""Public methods that nobody calls by hand, and why: the walk over entry points leaves them out."""

# By the method's name, or by class and name where another class has one that is called by hand.
HOOKS: dict[str, str] = {
    name: reason
    for reason, names in {
        "what a layer defines; its `__call__` hands it what is checked": """
            call build compute_segments after_settings check_values first_memory call_on
            step_operations why_not_stream takes_symbols output_specs in_order_of over_steps
            which_loop step biases
            first_bias noise merge score on_all_axes over_windows pooled pooled_of refuse_small
            spec_for turned add_beta add_gamma add_kernels convolved joined slide framed
            refuse_framing refuse_strides_with_dilation add_channelwise_kernel channelwise_kernel
            mixed multiplier chain held_variables owned_variables sublayers
            InputSpec.check InputSpec.check_one InputSpec.problem""",
        "what a loss or a metric defines; `__call__` and `update_state` call it": """
            arranged compared check_labels counted default_name values classes add_variables
            add_sums prepared single Average.add ByOutput.rows Metric.update_state""",
        "what an optimizer defines; `apply` and the training step call it": """
            rule slots rests advanced decay_of moves_rows rate_at layout transform init update
            finalize_variable_values scale_loss stateless_apply load_own_variables
            save_own_variables Slot.start Slot.written""",
        "what an initializer defines; its `__call__` calls it": "sample",
        "what a callback defines; `fit` calls it": """
            on_batch_begin on_batch_end on_epoch_begin on_epoch_end on_predict_batch_begin
            on_predict_batch_end on_predict_begin on_predict_end on_test_batch_begin
            on_test_batch_end on_test_begin on_test_end on_train_batch_begin on_train_batch_end
            on_train_begin on_train_end set_model set_params get_state set_state check_state
            current direction
            is_better""",
        "what a reader defines; `read` and `write` call it": "has_label sentences text",
        "what the library does with its own objects": """
            tree_flatten tree_unflatten own peek set_own stack Variable.rows KerasTensor.of parse
            to_config forget_programs""",
    }.items()
    for name in names.split()
}

# Called by hand all the same: one layer, one model and one metric stand for all of theirs.
CALLED = frozenset({"Layer.build", "Sequential.build", "Metric.build"})

# Classes that a class of one's own completes: there is nothing to call before.
ABSTRACT = frozenset(
    {
        "corpora.Reader",
        "optimizers.Optimizer",
        "Constraint.__call__",
        "Regularizer.__call__",
        "LearningRateSchedule.__call__",
    }
)
# What works in a run of a layer or of training alone, and what needs Keras: bad values only.
ELSEWHERE = frozenset(
    {"LayerLosses.add_loss", "Layer.random_key", "Model.set_training_state", "models.from_keras"}
)

# Records that readers and explanations make: plain fields, which say what was found.
RECORDS = frozenset(
    f"{room}.{name}"
    for room, names in {
        "corpora": "BaselineScore MajorityBaseline Sentence Signal Skipped SourceCorpus "
        "SourceSequence Split Token WordVectors",
        "optimizers": "Moment Slot State",
    }.items()
    for name in names.split()
) | {"Comparison", "Explanation", "SignalTagger", "Steps", "Tagger"}

# Where a class is called as a function, what it raises is its own.
CALLS_CLASSES = frozenset(
    {
        "Explanation.gradient_by_step loss",
        "Model.summary print_fn",
        "Variable initializer",
        "models.clone_model clone_function",
    }
)

# What takes an object of no kind, and why that is no mistake.
TAKES_ANYTHING = {
    "Layer.__call__ training": "whatever Python takes for true or false",
    "Metric.build y_pred_shape": "training calls it; most metrics do not look at the shape",
    "Metric.build y_true_shape": "training calls it; most metrics do not look at the shape",
    "Model.summary positions": "taken as Keras takes it, and not looked at",
    "Softmax.__call__ training": "whatever Python takes for true or false",
    "Steps.with_values values": "runs inside traces, where JAX puts objects of its own for arrays",
    "activations.linear x": "gives back what it gets",
    "apply key": "JAX says what a key is, where a layer draws",
    "backend.clear_session free_memory": "taken as Keras takes it, and not looked at",
    "backend.is_keras_tensor x": "asks of anything what it is",
    "callbacks.CallbackList model": "hands it to the callbacks",
    "layers.Lambda mask": "a value that is given back as it is",
    "layers.Lambda output_shape": "taken as Keras takes it: the shape follows from the function",
    "saving.deserialize_keras_object config": "plain data stands for itself",
    "utils.PyDataset max_queue_size": "taken as Keras takes it, and not looked at",
    "utils.PyDataset use_multiprocessing": "taken as Keras takes it, and not looked at",
    "utils.PyDataset workers": "taken as Keras takes it, and not looked at",
    "utils.pack_x_y_sample_weight sample_weight": "puts into a tuple what it gets",
    "utils.pack_x_y_sample_weight x": "puts into a tuple what it gets",
    "utils.pack_x_y_sample_weight y": "puts into a tuple what it gets",
    "utils.unpack_x_y_sample_weight data": "takes a tuple apart; anything else is x",
}
