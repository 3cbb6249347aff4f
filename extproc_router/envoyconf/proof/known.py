"""Which fields of Envoy's messages steer a request. A test holds these tables against Envoy's own protos."""

from __future__ import annotations

from extproc_router.envoyconf.proof.message import Known


def _known(*, read: str = "", harmless: str = "", refused: str = "") -> Known:
    return Known(frozenset(read.split()), frozenset(harmless.split()), frozenset(refused.split()))


BOOTSTRAP = _known(
    read="static_resources dynamic_resources layered_runtime bootstrap_extensions default_regex_engine tracing",
    harmless="""node node_context_params cluster_manager hds_config flags_path stats_sinks deferred_stat_options
        stats_config stats_flush_interval stats_flush_on_admin stats_eviction_interval watchdog watchdogs admin
        overload_manager enable_dispatcher_stats stats_server_version_override use_tcp_for_dns_lookups
        dns_resolution_config typed_dns_resolver_config fatal_actions config_sources default_config_source
        certificate_provider_instances inline_headers perf_tracing_file_path application_log_config
        grpc_async_client_manager_config memory_allocator_manager enable_worker_cpu_affinity""",
    refused="""header_prefix default_socket_interface xds_delegate_extension xds_config_tracker_extension
        listener_manager""",
)
STATIC_RESOURCES = _known(read="listeners clusters", harmless="secrets")
DYNAMIC_RESOURCES = _known(
    # What a discovered cluster would be is asked where a route leads to one.
    harmless="ads_config cds_config cds_resources_locator",
    refused="lds_config lds_resources_locator",
)
RUNTIME_LAYER = _known(read="static_layer", harmless="name admin_layer", refused="disk_layer rtds_layer")

LISTENER = _known(
    read="""name address additional_addresses filter_chains default_filter_chain listener_filters api_listener
        access_log""",
    # Every chain and every listener counts, whichever is picked.
    harmless="""stat_prefix filter_chain_matcher use_original_dst per_connection_buffer_limit_bytes
        per_connection_buffer_high_watermark_timeout metadata deprecated_v1 drain_type listener_filters_timeout
        continue_on_listener_filters_timeout transparent freebind socket_options tcp_fast_open_queue_length
        traffic_direction udp_listener_config connection_balance_config reuse_port enable_reuse_port
        tcp_backlog_size max_connections_to_accept_per_socket_event bind_to_port internal_listener enable_mptcp
        ignore_global_conn_limit bypass_overload_manager tcp_keepalive""",
    refused="fcds_config",
)
FILTER_CHAIN = _known(
    read="filters transport_socket",
    harmless="filter_chain_match use_proxy_proto metadata transport_socket_connect_timeout name",
)
MANAGER = _known(
    read="""route_config http_filters early_header_mutation_extensions upgrade_configs request_id_extension access_log
        tracing""",
    harmless="""codec_type stat_prefix add_user_agent common_http_protocol_options
        http1_safe_max_connection_duration http_protocol_options http2_protocol_options http3_protocol_options
        server_name server_header_transformation scheme_header_transformation max_request_headers_kb
        stream_idle_timeout stream_flush_timeout request_timeout request_headers_timeout drain_timeout
        drain_timeout_jitter delayed_close_timeout access_log_flush_interval flush_access_log_on_new_request
        access_log_options use_remote_address xff_num_trusted_hops original_ip_detection_extensions
        internal_address_config skip_xff_append via generate_request_id preserve_external_request_id
        always_set_request_id_in_response forward_client_cert_details set_current_client_cert_details
        forward_client_cert_matcher proxy_100_continue represent_ipv4_remote_address_as_ipv4_mapped_ipv6
        normalize_path merge_slashes path_with_escaped_slashes_action local_reply_config strip_matching_host_port
        strip_any_host_port stream_error_on_invalid_http_message path_normalization_options strip_trailing_host_dot
        proxy_status_config append_x_forwarded_port append_local_overload add_proxy_protocol_connection_state
        forward_proto_config""",
    refused="rds scoped_routes typed_header_validation_config",
)
HTTP_FILTER = _known(read="name typed_config", harmless="is_optional disabled", refused="config_discovery")
FILTER_CONFIG = _known(read="config", harmless="is_optional disabled")

ROUTE_CONFIGURATION = _known(
    read="""virtual_hosts internal_only_headers request_headers_to_add cluster_specifier_plugins
        request_mirror_policies typed_per_filter_config""",
    harmless="""name response_headers_to_add response_headers_to_remove request_headers_to_remove
        most_specific_header_mutations_wins validate_clusters max_direct_response_body_size_bytes
        ignore_port_in_host_matching vhost_header ignore_path_parameters_in_path_matching metadata""",
    refused="vhds",
)
VIRTUAL_HOST = _known(
    read="""name routes request_headers_to_add typed_per_filter_config retry_policy request_mirror_policies""",
    # Whichever host a client names, each one counts.
    harmless="""domains require_tls virtual_clusters rate_limits request_headers_to_remove response_headers_to_add
        response_headers_to_remove cors include_request_attempt_count include_attempt_count_in_response hedge_policy
        include_is_timeout_retry_header per_request_buffer_limit_bytes request_body_buffer_limit metadata""",
    refused="matcher retry_policy_typed_config",
)
ROUTE = _known(
    read="name match route redirect direct_response typed_per_filter_config request_headers_to_add",
    harmless="""metadata decorator request_headers_to_remove response_headers_to_add response_headers_to_remove tracing
        per_request_buffer_limit_bytes stat_prefix request_body_buffer_limit""",
    refused="filter_action non_forwarding_action",
)
MATCH = _known(
    read="prefix path safe_regex path_separated_prefix headers case_sensitive",
    # Conditions that some requests fulfil and others do not: taken for both.
    harmless="connect_matcher grpc runtime_fraction query_parameters cookies",
    refused="path_match_policy tls_context dynamic_metadata filter_state",
)
HEADER_MATCHER = _known(
    read="""name exact_match safe_regex_match present_match prefix_match suffix_match contains_match string_match
        invert_match treat_missing_header_as_empty""",
    refused="range_match",
)
STRING_MATCHER = _known(read="exact prefix suffix safe_regex contains ignore_case", refused="custom")
ROUTE_ACTION = _known(
    read="""cluster cluster_header weighted_clusters cluster_specifier_plugin inline_cluster_specifier_plugin
        retry_policy request_mirror_policies upgrade_configs""",
    harmless="""cluster_not_found_response_code metadata_match prefix_rewrite regex_rewrite path_rewrite_policy
        path_rewrite host_rewrite_literal auto_host_rewrite host_rewrite_header host_rewrite_path_regex host_rewrite
        append_x_forwarded_host timeout idle_timeout flush_timeout early_data_policy priority rate_limits
        include_vh_rate_limits hash_policy cors max_grpc_timeout grpc_timeout_offset hedge_policy max_stream_duration
        max_internal_redirects""",
    # A redirect that Envoy follows itself resolves the route again, with the headers of the last one.
    refused="retry_policy_typed_config internal_redirect_policy internal_redirect_action",
)
RETRY_POLICY = _known(
    # An attempt more goes to a cluster of the same route, all of which are looked at.
    harmless="""retry_on num_retries per_try_timeout per_try_idle_timeout retry_priority retry_host_predicate
        retry_options_predicates host_selection_retry_max_attempts retriable_status_codes retry_back_off
        rate_limited_retry_back_off retriable_headers retriable_request_headers refresh_cluster_on_retry""",
)
WEIGHTED_CLUSTER = _known(
    read="clusters runtime_key_prefix",
    harmless="total_weight header_name use_hash_policy",
)
CLUSTER_WEIGHT = _known(
    read="name cluster_header weight request_headers_to_add typed_per_filter_config",
    harmless="""metadata_match request_headers_to_remove response_headers_to_add response_headers_to_remove
        host_rewrite_literal""",
)
MIRROR_POLICY = _known(
    read="cluster cluster_header",
    harmless="""runtime_fraction trace_sampled disable_shadow_host_suffix_append request_headers_mutations
        host_rewrite_literal""",
)
PLUGIN = _known(read="extension", harmless="is_optional")
# Not in envoy-data-plane 2.2: read from the descriptors in Envoy 1.40 itself.
PRIORITY_GROUPS = _known(read="priority_groups override_metadata_namespace", harmless="header_name use_hash_policy")
PRIORITY_GROUP = _known(read="clusters", harmless="name")
PRIORITY_GROUP_CLUSTER = _known(read="cluster_name", harmless="weight")

CLUSTER = _known(
    read="""name type cluster_type load_assignment typed_extension_protocol_options transport_socket
        transport_socket_matches""",
    harmless="""alt_stat_name eds_cluster_config connect_timeout
        per_connection_buffer_limit_bytes per_connection_buffer_high_watermark_timeout lb_policy health_checks
        max_requests_per_connection circuit_breakers upstream_http_protocol_options common_http_protocol_options
        http_protocol_options http2_protocol_options dns_refresh_rate dns_jitter dns_failure_refresh_rate
        respect_dns_ttl dns_lookup_family dns_resolvers use_tcp_for_dns_lookups dns_resolution_config
        typed_dns_resolver_config wait_for_warm_on_init outlier_detection cleanup_interval upstream_bind_config
        lb_subset_config ring_hash_lb_config maglev_lb_config original_dst_lb_config least_request_lb_config
        round_robin_lb_config common_lb_config metadata protocol_selection upstream_connection_options
        close_connections_on_host_health_failure ignore_health_on_host_removal load_balancing_policy lrs_server
        lrs_report_endpoint_metrics track_timeout_budgets track_cluster_stats preconnect_policy
        connection_pool_per_downstream_connection""",
    refused="filters upstream_config transport_socket_matcher",
)
LOAD_ASSIGNMENT = _known(read="endpoints", harmless="cluster_name named_endpoints policy")
LOCALITY = _known(
    read="lb_endpoints load_balancer_endpoints leds_cluster_locality_config",
    harmless="locality metadata load_balancing_weight priority proximity",
)
PROTOCOL_OPTIONS = _known(
    read="http_filters request_mirror_policies",
    harmless="""common_http_protocol_options upstream_http_protocol_options explicit_http_config
        use_downstream_protocol_config auto_config outlier_detection hash_policy retry_policy""",
    refused="header_validation_config",
)
EXT_PROC = _known(
    read="processing_mode mutation_rules forward_rules failure_mode_allow",
    # What makes Envoy ignore the router is the router being silent, which is looked at anyhow.
    harmless="""grpc_service request_attributes response_attributes message_timeout stat_prefix max_message_timeout
        filter_metadata allow_mode_override disable_immediate_response metadata_options observability_mode
        disable_clear_route_cache route_cache_action deferred_close_timeout
        send_body_without_waiting_for_header_response allowed_override_modes status_on_error
        allow_content_length_header""",
    refused="http_service processing_request_modifier on_processing_response",
)
EXT_PROC_PER_ROUTE = _known(read="overrides", harmless="disabled")
EXT_PROC_OVERRIDES = _known(
    read="failure_mode_allow processing_mode",
    harmless="async_mode request_attributes response_attributes metadata_options grpc_initial_metadata",
    refused="grpc_service processing_request_modifier",
)
ROUTER = _known(
    read="upstream_http_filters upstream_log",
    harmless="""dynamic_stats start_child_span upstream_log_options suppress_envoy_headers
        strict_check_headers respect_expected_rq_timeout suppress_grpc_request_failure_code_stats
        reject_connect_request_early_data""",
)
LUA = _known(
    read="default_source_code",
    harmless="stat_prefix",
    # `source_codes` are other programs, which routes choose.
    refused="inline_code source_codes clear_route_cache",
)
TCP_PROXY = _known(
    read="cluster weighted_clusters access_log",
    harmless="""stat_prefix metadata_match idle_timeout max_connect_attempts hash_policy tunneling_config
        max_downstream_connection_duration max_downstream_connection_duration_jitter_percentage
        access_log_flush_interval flush_access_log_on_connected access_log_options proxy_protocol_tlvs backoff_options
        upstream_connect_mode max_early_data_bytes check_drain_close proxy_protocol_tlv_merge_policy
        downstream_idle_timeout upstream_idle_timeout""",
    refused="on_demand",
)
TCP_WEIGHTED_CLUSTER = _known(read="clusters")
TCP_CLUSTER_WEIGHT = _known(read="name", harmless="weight metadata_match")
HEADER_MUTATION = _known(read="remove append remove_on_match")
HEADER_MUTATION_FILTER = _known(read="mutations", harmless="most_specific_header_mutations_wins")
HEADER_MUTATION_PER_ROUTE = _known(read="mutations")
HEADER_MUTATIONS = _known(
    read="request_mutations",
    # Routes go by a path's query as by whatever else may be or not.
    harmless="query_parameter_mutations response_mutations response_trailers_mutations request_trailers_mutations",
)
